"""Paths that tell: the state, one VM and why, history, events, configuration."""

from typing import Annotated

from fastapi import FastAPI, Query, Response

from aerostat.api.answers import OF_GUEST, Since, Vm
from aerostat.api.described import answers
from aerostat.api.events import EVENTS_MAX, Wanted, what_happened
from aerostat.api.guests import live_explanation, present_guest
from aerostat.api.history import POINTS_MAX, guest_history
from aerostat.api.one_guest import one_guest_document
from aerostat.api.requests import checked_duration
from aerostat.api.seat import Seat
from aerostat.api.sparklines import Sparklines
from aerostat.api.state import host_document, state_document
from aerostat.api.stream import Stream
from aerostat.api.written import PerRound, told
from aerostat.story.explanation import explanation_answer


def reading_routes(app: FastAPI, seat: Seat) -> None:
    """What is now."""
    written = PerRound(seat)

    @app.get(
        "/v1/state",
        summary="Host, daemon and all VMs, as of the last round",
        tags=["read"],
        responses=answers("state"),
    )
    async def state() -> Response:
        return written.answer("state", lambda: state_document(seat))

    @app.get("/v1/host", summary="The host alone", tags=["read"], responses=answers("state_host"))
    async def host() -> Response:
        return written.answer("host", lambda: host_document(seat.board.status))

    @app.get(
        "/v1/config",
        summary="Every setting, and where it came from",
        tags=["read"],
        responses=answers("config"),
    )
    async def config() -> Response:
        settings = seat.config().settings()
        rows = [{"key": s.key, "value": s.value, "origin": str(s.origin)} for s in settings]
        return told({"schema": "aerostat.config/1", "settings": rows})

    lines = Sparklines(seat.recent)

    @app.get(
        "/v1/sparklines",
        summary="What each VM held lately, few points each",
        tags=["read"],
        responses=answers("sparklines"),
    )
    async def sparklines() -> Response:
        return Response(lines.body(), media_type="application/json")


def remembering_routes(app: FastAPI, seat: Seat, stream: Stream) -> None:
    """What was, and why."""

    # Plain functions: they read a file, and so run beside the server's loop.
    @app.get(
        "/v1/guests/{vm:path}/explanation",
        summary="Why a VM is at its size, and what would change it",
        tags=["read"],
        responses={**answers("explain"), **OF_GUEST},
    )
    def explanation(vm: Vm, since: Since = "1h") -> Response:
        why = live_explanation(seat, stream, vm, since_s=checked_duration(since))
        return told(explanation_answer(why))

    @app.get(
        "/v1/guests/{vm:path}/history",
        summary="A VM over time",
        tags=["read"],
        responses={**answers("history"), **OF_GUEST},
    )
    def history(
        vm: Vm,
        since: Since = "1h",
        points: Annotated[int, Query(ge=2, le=POINTS_MAX)] = 600,
    ) -> Response:
        _, snapshot, _ = present_guest(seat, vm)
        since_s = checked_duration(since)
        return told(guest_history(seat, snapshot.guest, since_s=since_s, points=points))

    @app.get(
        "/v1/events",
        summary="What happened, oldest first",
        tags=["read"],
        responses={**answers("events"), **OF_GUEST},
    )
    def events(
        since: Since = "1h",
        vm: Annotated[str | None, Query(max_length=256)] = None,
        limit: Annotated[int, Query(ge=1, le=EVENTS_MAX)] = 500,
        routine: Annotated[bool, Query(description="Also what is routine.")] = False,
    ) -> Response:
        wanted = Wanted(since_s=checked_duration(since), vm=vm, limit=limit, has_routine=routine)
        return told(what_happened(seat, stream, wanted))


def guest_route(app: FastAPI, seat: Seat) -> None:
    """One VM; after all other paths that begin like this one, since a name may hold a slash."""

    @app.get(
        "/v1/guests/{vm:path}",
        summary="One VM",
        tags=["read"],
        responses={**answers("state_guest"), **OF_GUEST},
    )
    async def guest(vm: Vm) -> Response:
        return told(one_guest_document(seat, vm))
