"""The verb as it is called, on small worlds and without compiling."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from aerostat.cli.main import app
from aerostat.sim.fleet.kinds import synthetic_fleet
from aerostat.units import MIB

SMALL = ("--hosts", "2", "--vms-per-host", "4", "--days", "0.02", "--interpreted", "--workers", "1")
TWO = ("--policy", "adaptive", "--policy", "slack")


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments])


def document_of(*arguments: str) -> dict[str, Any]:
    done = simulate(*arguments, "-o", "json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def trace_file(folder: Path, *, vms: int = 10, days: float = 0.02) -> Path:
    """A CSV trace of a few VMs."""
    trace = synthetic_fleet("bursty", seed=4, vms=vms, days=days)
    lines = ["vm,time_s,used_mib,max_mib"]
    for number, (size, row) in enumerate(zip(trace.max_bytes, trace.used_bytes, strict=True)):
        lines += [
            f"{trace.names[number]},{60 * n},{used / MIB:.2f},{size // MIB}"
            for n, used in enumerate(row.tolist())
        ]
    path = folder / "fleet.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
