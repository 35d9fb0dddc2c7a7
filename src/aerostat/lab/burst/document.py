"""The measurement as a document; what was not measured is left out, never 0."""

from dataclasses import asdict
from typing import Any

import aerostat
from aerostat.lab.burst.found import ARMS, Burst, Bursts

SCHEMA = "aerostat.burst/1"


def burst_document(found: Bursts) -> dict[str, Any]:
    """Write it down: every burst by itself."""
    return {
        "schema": SCHEMA,
        "aerostat": aerostat.__version__,
        "started": found.started_utc,
        "accelerator": found.accelerator,
        "machine": dict(found.machine),
        "world": dict(found.world),
        "notes": list(found.notes),
        "arms": [asdict(arm) for arm in ARMS],
        "bursts": [_burst(burst) for burst in found.bursts],
    }


def _burst(burst: Burst) -> dict[str, Any]:
    written = {**asdict(burst), "moving_s": burst.moving_s}
    return {key: value for key, value in written.items() if value is not None}
