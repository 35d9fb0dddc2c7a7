"""Paths that command: each goes to the loop, and is kept with who said it."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response

from aerostat.api.answers import COMMAND, OF_GUEST, Vm
from aerostat.api.described import answers
from aerostat.api.guests import present_guest
from aerostat.api.limits import objection_to
from aerostat.api.requests import ForBody, LimitsBody, ReclaimBody
from aerostat.api.seat import Seat
from aerostat.api.written import told
from aerostat.control.orders import RECLAIM, Ask
from aerostat.model.events import Command
from aerostat.model.guest import GuestId
from aerostat.model.modes import Mode

TAKEN = "The loop has it, and heeds it in its next round"


def commanding_routes(app: FastAPI, seat: Seat) -> None:
    """Everything an operator may say."""
    router = APIRouter(tags=["command"], responses={**answers("command", TAKEN), **COMMAND})
    _limits(router, seat)
    for command, summary in _STANDING.items():
        _standing_route(router, seat, command, summary)
    _of_all(router, seat)
    app.include_router(router)


_STANDING = {
    Command.HOLD: "Take nothing from it",
    Command.RELEASE: "Give it its max now, and take nothing from it",
    Command.UNHOLD: "End a hold or a release",
}


async def _told(seat: Seat, request: Request, vm: str, ask: Callable[..., Ask]) -> Response:
    _, snapshot, _ = present_guest(seat, vm)
    await seat.ask(ask(guest=snapshot.guest, who=request.state.who))
    return _accepted(seat)


def _limits(router: APIRouter, seat: Seat) -> None:
    @router.post(
        "/v1/guests/{vm:path}/limits",
        summary="Set min, max and weight over the configuration",
        responses=OF_GUEST,
    )
    async def limits(vm: Vm, body: LimitsBody, request: Request) -> Response:
        given = body.limits()

        _, snapshot, _ = present_guest(seat, vm)
        wanted = Ask(
            command=Command.SET,
            guest=snapshot.guest,
            who=request.state.who,
            limits=given,
            words=body.words(),
        )
        if (objection := objection_to(wanted, snapshot, seat)) is not None:
            raise HTTPException(422, objection)
        await seat.ask(wanted)
        return _accepted(seat)


def _standing_route(router: APIRouter, seat: Seat, command: Command, summary: str) -> None:
    @router.post(
        f"/v1/guests/{{vm:path}}/{command.value}",
        summary=summary,
        operation_id=command.value,
        responses=OF_GUEST,
    )
    async def standing(vm: Vm, body: ForBody, request: Request) -> Response:
        if command is Command.RELEASE:
            _must_enforce(seat, "release")
        return await _told(seat, request, vm, _standing(command, body))


def _of_all(router: APIRouter, seat: Seat) -> None:
    @router.post("/v1/release", summary="Give every VM its max, as far as the host has it")
    async def release_all(body: ForBody, request: Request) -> Response:
        _must_enforce(seat, "release")
        ask, record = _standing(Command.RELEASE, body), seat.board.status.last
        for guest in () if record is None else record.snapshot.guests:
            await seat.ask(ask(guest=guest.guest, who=request.state.who))
        return _accepted(seat)

    @router.post("/v1/reclaim", summary="Make so much free on the host")
    async def reclaim(body: ReclaimBody, request: Request) -> Response:
        _must_enforce(seat, "reclaim")
        _must_be_to_come(seat, body.owner)
        ask = Ask(
            command=Command.RECLAIM,
            guest=RECLAIM if body.owner is None else GuestId(body.owner),
            size_bytes=body.size_bytes,
            for_s=body.for_s,
            who=request.state.who,
            words=body.words(),
        )
        await seat.ask(ask)
        return _accepted(seat)


def _standing(command: Command, body: ForBody) -> Callable[..., Ask]:
    for_s = body.for_s

    def ask(**more: Any) -> Ask:
        return Ask(command=command, for_s=for_s, words=body.words(command.value), **more)

    return ask


def _must_enforce(seat: Seat, verb: str) -> None:
    mode = seat.config().mode
    if mode is not Mode.ENFORCE:
        raise HTTPException(
            409, f"{verb}: the daemon is in mode {mode.value}, and sends nothing to any VM"
        )


def _must_be_to_come(seat: Seat, owner: str | None) -> None:
    """What is kept for a VM that is here already would count as what it holds."""
    record = seat.board.status.last
    for guest in () if record is None else record.snapshot.guests:
        if owner in (guest.guest, guest.name):
            raise HTTPException(400, f"owner: {owner} is here already; name a VM to come")


def _accepted(seat: Seat) -> Response:
    """Accepted is not done: the round after this one heeds it."""
    return told(
        {
            "schema": "aerostat.command/1",
            "outcome": "accepted",
            "mode": seat.config().mode.value,
            "after_round": seat.board.status.rounds,
        }
    )
