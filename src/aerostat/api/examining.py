"""Paths that look at the host itself: what works on it, and what its techniques save and cost."""

from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Response

from aerostat.api.answers import PROBLEM, Told
from aerostat.api.described import answers
from aerostat.api.looked import Looked
from aerostat.api.seat import Seat
from aerostat.api.written import told
from aerostat.host.techniques.savings import TechniqueFigures
from aerostat.story.remembered import known_only, utc

DOCTOR_KEPT_S = 60.0
DOCTOR_LEAST_S = 10.0
"""Going round asks every VM's monitor something: no oftener than this, whoever asks."""
TECHNIQUES_KEPT_S = 2.0

_SILENT: dict[int | str, Told] = {
    404: {"description": "This daemon cannot look at it", **PROBLEM},
    503: {"description": "It could not be looked at, or not yet", **PROBLEM},
}


def examining_routes(app: FastAPI, seat: Seat) -> None:
    """Look at the host, beside all else."""
    _doctor(app, seat)
    _techniques(app, seat)


def _doctor(app: FastAPI, seat: Seat) -> None:
    looked = None
    if seat.doctor is not None:
        looked = Looked(seat.doctor, seat.clock, kept_s=DOCTOR_KEPT_S, least_s=DOCTOR_LEAST_S)

    @app.get(
        "/v1/doctor",
        summary="What works on this host and in its VMs, and what would make it work",
        tags=["read"],
        responses={**answers("doctor"), **_SILENT},
    )
    async def doctor(
        *, fresh: Annotated[bool, Query(description="Look again, but not all the time.")] = False
    ) -> Response:
        if looked is None:
            raise HTTPException(404, "this daemon has no doctor: run 'aerostat doctor' on its host")
        return told(await looked.document(is_fresh=fresh))


def _techniques(app: FastAPI, seat: Seat) -> None:
    def look() -> Told:
        read = {} if seat.techniques is None else seat.techniques()
        return {
            "schema": "aerostat.techniques/1",
            "at": utc(seat.clock.wall_s()),
            "techniques": {name: _figures(one) for name, one in read.items()},
        }

    looked = Looked(look, seat.clock, kept_s=TECHNIQUES_KEPT_S, least_s=TECHNIQUES_KEPT_S)

    @app.get(
        "/v1/techniques",
        summary="What the host's own techniques save and cost now",
        tags=["read"],
        responses={**answers("techniques"), **_SILENT},
    )
    async def techniques() -> Response:
        return told(await looked.document())


def _figures(one: TechniqueFigures) -> Told:
    saving = one.saving
    return {
        "is_usable": one.is_usable,
        "words": one.words,
        **known_only(
            taken_bytes=saving.taken_bytes,
            held_bytes=saving.held_bytes,
            saved_bytes=saving.saved_bytes,
            in_bytes=saving.in_bytes,
            out_bytes=saving.out_bytes,
            cpu_s=None if saving.cpu_s is None else round(saving.cpu_s, 2),
        ),
    }
