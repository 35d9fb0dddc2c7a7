"""The page on how to write a scenario, from the tables' declarations: ``script/incidents``."""

import sys
from collections.abc import Mapping
from math import isinf

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aerostat.config.values import write_amount, write_duration, write_share, write_size
from aerostat.model.limits import Amount
from aerostat.sim.scenario.check import Check
from aerostat.sim.scenario.checks import CHECKS
from aerostat.sim.scenario.happening import FaultTable, Happening
from aerostat.sim.scenario.tables import GuestTable, HostTable, PeerTable, Scenario, WithoutTable

_HEAD = """# Scenarios

Written by `script/incidents` from the declarations in `src/aerostat/sim/scenario`; a test
compares. A scenario is a file in `scenarios/`: a host, its guests, what happens to them and when,
and what must hold. Sizes, durations and shares are written as in a configuration (`"512MiB"`,
`"10s"`, `"25%"`); a size of nothing is `"none"`. What is wrong with a file is told with its line,
key and remedy. `[advanced]` takes the keys that a configuration has there
([configuration](configuration.md)).

A scenario names who fails in it: `[peer]`, a policy that runs under its own rules, and
`[[without]]`, a rule of our guard that is switched off; each with the names of the checks that
must then fail. Where our own engine fails, `known_failure` says why, and the test turns red the
day it no longer does.
"""

_MUST = """
## `[[must]]`

Every check has a `name` and a window: `after` (from the start) and `until` (to the end).
Checks of guests have `guest`, a name or a glob, by default all of them.

| check | keys | holds when |
|---|---|---|
"""

_TABLES: Mapping[str, tuple[type[BaseModel], str]] = {
    "top of the file": (Scenario, "Times count from the start; the world is seeded."),
    "`[host]`": (HostTable, "The host, and what its operator declares."),
    "`[[guest]]`": (GuestTable, "Once for each guest, or for several alike (`count`)."),
    "`[[at]]`": (Happening, "Once for each thing that happens; `guest` is a name or a glob."),
    "`fault`": (FaultTable, "Inline, in `[[guest]]` and `[[at]]`: faults to switch on or off."),
    "`[peer]`": (PeerTable, "Whose rule fails here."),
    "`[[without]]`": (WithoutTable, "Which of our rules this proves necessary."),
}


def reference() -> str:
    """Write the whole page."""
    text = _HEAD
    for title, (table, words) in _TABLES.items():
        text += f"\n## {title}\n\n{words}\n\n| key | default |\n|---|---|\n"
        text += "".join(f"| `{key}` | {_default(f)} |\n" for key, f in table.model_fields.items())
    return text + _MUST + "".join(_check_row(kind, check) for kind, check in sorted(CHECKS.items()))


def _check_row(kind: str, check: type[Check]) -> str:
    common = {"name", "after", "until", "check"}
    keys = ", ".join(f"`{key}`" for key in check.model_fields if key not in common)
    words = (check.__doc__ or "").strip().splitlines()[0]
    return f"| `{kind}` | {keys} | {words} |\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, BaseModel) or value in (None, ()):
        return "not set"
    return f"`{_written(value, str(field.metadata))}`"


def _written(value: object, metadata: str) -> str:
    if isinstance(value, Amount):
        return write_amount(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _written_number(value, metadata)
    if "read_size" in metadata and isinstance(value, int):
        return write_size(value) if value else "none"
    return str(value)


def _written_number(value: float, metadata: str) -> str:
    if "read_duration" in metadata:
        return f"{value * 1e3:g}ms" if 0 < value < 0.001 else write_duration(value)
    if "read_share" in metadata:
        return write_share(value)
    if "read_pace" in metadata:
        return "any" if isinf(value) else (write_size(int(value)) if value else "none")
    return str(value)


if __name__ == "__main__":
    sys.stdout.write(reference())
