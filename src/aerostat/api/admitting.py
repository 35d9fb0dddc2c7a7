"""The path that lets VMs in: whoever starts or receives them asks here first."""

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from aerostat.api.answers import COMMAND, Told
from aerostat.api.described import answers, content
from aerostat.api.requests import AdmitBody
from aerostat.api.seat import Seat
from aerostat.control.orders import Ask
from aerostat.model.admission import Admission, Verdict
from aerostat.model.events import Command
from aerostat.model.guest import GuestId
from aerostat.units import format_size

SCHEMA = "aerostat.admission/1"

_REFUSED: Told = {
    "description": "It is refused; `verdict` says why, `detail` in words",
    **content("admission"),
}


def admitting_routes(app: FastAPI, seat: Seat) -> None:
    """Ask for room for a VM to come."""
    router = APIRouter(tags=["command"], responses={**COMMAND, 409: _REFUSED})

    @router.post(
        "/v1/admit",
        summary="May a VM of this size start, or come? Then keep its memory",
        responses=answers("admission", "It is let in, and its memory is kept for it"),
    )
    async def admit(body: AdmitBody, request: Request) -> Response:
        ask = Ask(
            command=Command.ADMIT,
            guest=GuestId(body.name),
            size_bytes=body.size_bytes,
            for_s=body.for_s,
            who=request.state.who,
            words=body.words(),
        )
        answer = await seat.ask(ask)
        assert answer is not None  # the loop answers this one
        told = _told(body, answer, seat)
        return JSONResponse(told, status_code=200 if answer.is_admitted else 409)

    app.include_router(router)


def _told(body: AdmitBody, answer: Admission, seat: Seat) -> Told:
    told: Told = {
        "schema": SCHEMA,
        "verdict": answer.verdict.value,
        "detail": words_of(body, answer),
        "name": body.name,
        "size_bytes": body.size_bytes,
        "for_s": body.for_s,
        "mode": seat.config().mode.value,
    }
    if answer.room_bytes is not None:
        told["room_bytes"] = max(0, answer.room_bytes)
    return told


def words_of(body: AdmitBody, answer: Admission) -> str:
    """The answer for people."""
    room = format_size(max(0, answer.room_bytes or 0))
    match answer.verdict:
        case Verdict.ADMITTED:
            return f"{body.size} are kept for {body.name} for {body.for_}; {room} are left"
        case Verdict.NO_ROOM:
            return (
                f"{body.size} do not fit: {room} are left for VMs to come. To have VMs give what "
                f"they can spare: aerostat reclaim {body.size} --owner {body.name}"
            )
        case Verdict.STARTS_REFUSED:
            return "no VM is let in now: the host is short of memory (aerostat status)"
        case Verdict.ALREADY_HERE:
            return f"a VM called {body.name} is here already"
        case Verdict.HOST_UNKNOWN:
            return "nobody knows how much room there is: the host has not been read"
