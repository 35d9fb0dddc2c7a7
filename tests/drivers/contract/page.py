"""The page of drivers, written from the contract suite: ``script/drivers`` keeps it."""

import sys

from drivers.contract.kinds import CASES, KINDS
from drivers.contract.rig import Case, RigKind

_HEAD = """# Drivers

Written by `script/drivers` from the contract suite in `tests/drivers/contract`; a test compares.
Every driver is held to the same cases, through the port that the loop uses
(`src/aerostat/ports/driver.py`), on each of the peers below. A case runs the same code everywhere.
What a hypervisor cannot do, or cannot be made to do here, is a dash, with its reason further down.
Where it says "if named", the case is played on the real program wherever an environment variable
names one. That has not happened yet: neither Cloud Hypervisor nor Firecracker runs where this
project is built. The rigs for them have been played on the stand-ins as programs, and driver and
stand-in say nothing to each other that the projects' own OpenAPI documents do not allow
(`tests/drivers/test_documents.py`).

`script/test versions` plays the columns qmp and libvirt on other versions as well: QEMU 7.2, 10 and
11, libvirt 9 and 11, from the suites of Debian that have them (`script/versions`). They are
unpacked beside the system's and run with their own `/usr` in a mount namespace of their own.
Played last, under TCG: libvirt 11.3.0 with QEMU 10.0.13, all 20 cases, on 2026-11-24. QEMU 11 was
not played that day.
"""

_PEERS = """
## What stands behind each driver

| column | behind it | runs |
|---|---|---|
"""

_CASES = """
## What every driver does

"""

_REASONS = """
## What is left out, and why

| column | case | why |
|---|---|---|
"""


def page() -> str:
    """Write the whole page."""
    text = _HEAD + _PEERS + "".join(map(_peer_row, KINDS.values())) + _CASES
    text += "| case | what is shown | " + " | ".join(KINDS) + " |\n"
    text += "|---" * (len(KINDS) + 2) + "|\n"
    text += "".join(map(_case_row, CASES.values()))
    return text + _REASONS + "".join(map(_reason_rows, KINDS.values()))


def _peer_row(kind: RigKind) -> str:
    marks = {mark.name for mark in kind.marks}
    return f"| {kind.name} | {kind.peer} | {kind.when or _when(marks)} |\n"


def _when(marks: set[str]) -> str:
    if "lab" in marks:
        return "`script/test`: guests boot"
    return "`script/test`" if "slow" in marks else "`script/test fast`"


def _case_row(case: Case) -> str:
    cells = ["-" if case.name in kind.cannot else kind.shown for kind in KINDS.values()]
    return f"| {case.name} | {case.promise} | " + " | ".join(cells) + " |\n"


def _reason_rows(kind: RigKind) -> str:
    return "".join(f"| {kind.name} | {case} | {why} |\n" for case, why in kind.cannot.items())


if __name__ == "__main__":
    sys.stdout.write(page())
