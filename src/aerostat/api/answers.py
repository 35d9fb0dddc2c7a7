"""What paths of the API have in common: their parameters, and how they may end."""

from typing import Annotated, Any

from fastapi import Path, Query

from aerostat.api.described import content
from aerostat.api.requests import DURATION

Vm = Annotated[str, Path(description="Its name, or its id.", min_length=1, max_length=256)]
Since = Annotated[str, Query(pattern=DURATION, max_length=16, description="How far back: 10m, 1h.")]
Told = dict[str, Any]

PROBLEM = content("problem")
ERRORS: dict[int | str, Told] = {
    400: {"description": "A value is out of range, or the body is no JSON", **PROBLEM},
    401: {"description": "No token, or a wrong one (TCP only)", **PROBLEM},
    429: {"description": "Too many requests", **PROBLEM},
}
OF_GUEST: dict[int | str, Told] = {404: {"description": "There is no such VM", **PROBLEM}}
COMMAND: dict[int | str, Told] = {
    403: {"description": "This token may only read", **PROBLEM},
    409: {"description": "The daemon does not enforce: nothing is sent", **PROBLEM},
    413: {"description": "The body is too long", **PROBLEM},
    503: {"description": "The loop did not take it in time: it may or may not be done", **PROBLEM},
}
