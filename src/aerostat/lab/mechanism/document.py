"""The measurement as a document; what was not measured is left out, never 0."""

from dataclasses import asdict
from typing import Any

import aerostat
from aerostat.lab.mechanism.found import Mechanism, Move

SCHEMA = "aerostat.mechanism/1"


def mechanism_document(found: Mechanism) -> dict[str, Any]:
    """Write it down, with the ram and the way of the balloon that it was measured on."""
    return {
        "schema": SCHEMA,
        "aerostat": aerostat.__version__,
        "started": found.started_utc,
        "accelerator": found.accelerator,
        "machine": dict(found.machine),
        "notes": list(found.notes),
        "moves": [_move(move) for move in found.moves],
        "daemon": {**asdict(found.daemon), "cpu_ratio": found.daemon.cpu_ratio},
    }


def _move(move: Move) -> dict[str, Any]:
    written = {**asdict(move), "bytes_per_s": move.bytes_per_s}
    return {key: value for key, value in written.items() if value is not None}
