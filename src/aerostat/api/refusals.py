"""What is wrong with a request in words, where the library would show a pattern."""

from typing import Any

from fastapi import Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from aerostat.api.requests import DURATION, NAME, SIZE, SIZE_OR_SHARE

_RIGHT = {
    SIZE: "write a number and a unit, such as 512MiB or 2GiB",
    SIZE_OR_SHARE: "write a number and a unit, such as 512MiB, or a share such as 25%",
    DURATION: "write a number and a unit, such as 30s, 10m or 2h",
    NAME: "a name has no control characters",
}


async def refused(_: Request, error: Exception) -> Response:
    """Answer a request whose values are wrong: each by its place, and what would be right."""
    assert isinstance(error, RequestValidationError)
    detail = [_worded(one) for one in error.errors()]
    return JSONResponse({"detail": jsonable_encoder(detail)}, status_code=422)


def _worded(one: dict[str, Any]) -> dict[str, Any]:
    right = _RIGHT.get((one.get("ctx") or {}).get("pattern", ""))
    if one.get("type") != "string_pattern_mismatch" or right is None:
        return one
    return {**one, "msg": f"{str(one.get('input'))[:40]!r}: {right}"}
