"""The HTTP API, version 1, put together; its OpenAPI document is made of this."""

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

from aerostat import __version__
from aerostat.api import metrics as metrics_format
from aerostat.api.admitting import admitting_routes
from aerostat.api.answers import ERRORS, PROBLEM
from aerostat.api.commanding import commanding_routes
from aerostat.api.dashboard import dashboard_routes
from aerostat.api.described import answers, content, describe
from aerostat.api.examining import examining_routes
from aerostat.api.reading import guest_route, reading_routes, remembering_routes
from aerostat.api.refusals import refused
from aerostat.api.seat import LoopBusyError, Seat
from aerostat.api.stream import Stream
from aerostat.story.remembered import UnknownGuestError


def create_app(seat: Seat, stream: Stream) -> FastAPI:
    """The application, without the gate before it."""
    app = FastAPI(
        title="Aerostat",
        version=__version__,
        summary="The memory balancer of one virtual-machine host.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its pages would come from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a path that is none is told so
        responses=ERRORS,
    )
    app.add_exception_handler(UnknownGuestError, _not_found)
    app.add_exception_handler(LoopBusyError, _busy)
    app.add_exception_handler(ValueError, _out_of_range)
    app.add_exception_handler(RequestValidationError, refused)
    reading_routes(app, seat)
    remembering_routes(app, seat, stream)
    examining_routes(app, seat)
    commanding_routes(app, seat)
    admitting_routes(app, seat)
    _following(app, stream)
    _measuring(app, seat)
    guest_route(app, seat)
    dashboard_routes(app)
    describe(app)
    return app


def _told(status: int, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, status_code=status)


async def _not_found(_: Request, error: Exception) -> Response:
    return _told(404, error)


async def _busy(_: Request, error: Exception) -> Response:
    return _told(503, error)


async def _out_of_range(_: Request, error: Exception) -> Response:
    return _told(400, error)


def _following(app: FastAPI, stream: Stream) -> None:
    @app.get(
        "/v1/stream",
        summary="Server-sent events: `round` and `happened`",
        tags=["read"],
        response_class=StreamingResponse,
        responses={503: {"description": "Too many streams are open", **PROBLEM}},
    )
    async def follow(request: Request) -> StreamingResponse:
        if stream.is_full:
            raise HTTPException(503, "too many streams are open")
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else None
        return StreamingResponse(
            stream.messages(after=after),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _measuring(app: FastAPI, seat: Seat) -> None:
    metrics = metrics_format.Metrics(seat)

    @app.get(
        "/metrics",
        summary="Figures for Prometheus",
        tags=["read"],
        response_class=PlainTextResponse,
    )
    async def prometheus() -> Response:
        return Response(metrics.body(), media_type=metrics_format.CONTENT_TYPE)

    @app.get(
        "/healthz",
        summary="Whether rounds are completed",
        tags=["read"],
        responses={
            **answers("health", "They are"),
            503: {"description": "None has been for a while", **content("health")},
        },
    )
    async def health() -> Response:
        record = seat.board.status.last
        age_s = None if record is None else seat.clock.now_s() - record.snapshot.now_s
        is_well = age_s is not None and age_s < HEALTHY_S
        return JSONResponse({"healthy": is_well}, status_code=200 if is_well else 503)


HEALTHY_S = 30.0
"""Without a completed round for so long something is wrong."""
