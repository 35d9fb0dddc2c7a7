"""The page of incidents, written from the scenario files: ``script/incidents`` keeps it."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from aerostat.sim.scenario.read import load_scenarios
from aerostat.sim.scenario.real_guests import Shown, find_tests
from aerostat.sim.scenario.tables import Scenario

_HEAD = """# Incidents

Written by `script/incidents` from the files in `scenarios/`; a test compares. Each scenario is a
host with simulated guests, what happens to them, and what must hold, judged on what the guests
and the host really went through. It runs in the test suite twice: under somebody else's rule,
where it must fail at the checks named here, and under ours, where all must hold. Peers run under
their own rules at their own pace, without our guard ([policies](policies.md)). Everything here is
simulated ([the simulator](simulator.md)): it shows what a rule decides, not what a real guest
feels. What real guests can show is shown on them as well: [on real guests](#on-real-guests).
"""

_RULES = """
## What each rule of the guard is for

With this one rule switched off, the scenario fails at these checks.

| rule | scenario | what goes wrong without it | checks that fail |
|---|---|---|---|
"""

_INCIDENTS = """
## Incidents from the field

| incident | source | under a peer | must happen | invariant | checks that fail there |
|---|---|---|---|---|---|
"""

_REAL = """
## On real guests

These tests boot QEMU guests of the lab, and the daemon or its own loop balances them over QMP. Each
says where its world is another than the scenario's. The list is made from marks in the tests
(`pytest.mark.incident`).

| incident | tests |
|---|---|
"""

_KNOWN = """
## What ours does not survive yet

| scenario | why |
|---|---|
"""


def page(scenarios: Mapping[str, Scenario], shown: Shown) -> str:
    """Write the whole page; ``shown`` are the tests on real guests."""
    text = _HEAD + _INCIDENTS
    for name, scenario in scenarios.items():
        if scenario.peer is not None:
            text += _incident_row(name, scenario)
    text += _REAL + "".join(_real_row(i, t) for i, t in sorted(shown.items(), key=_by_number))
    text += _RULES + "".join(sorted(_rule_rows(scenarios)))
    known = [(n, s.known_failure) for n, s in scenarios.items() if s.known_failure is not None]
    if known:
        text += _KNOWN + "".join(f"| {_link(name)} | {why} |\n" for name, why in known)
    return text


def _incident_row(name: str, scenario: Scenario) -> str:
    assert scenario.peer is not None
    cells = (
        f"{scenario.incident or 'beside R1-R20'}: {_link(name, scenario.title)}",
        scenario.source,
        f"`{scenario.peer.policy}`: {scenario.peer.because}",
        scenario.must_happen,
        scenario.protects,
        "; ".join(scenario.peer.breaks),
    )
    return "| " + " | ".join(cells) + " |\n"


def _by_number(row: tuple[str, Sequence[str]]) -> int:
    return int(row[0].removeprefix("R"))


def _real_row(incident: str, tests: Sequence[str]) -> str:
    return f"| {incident} | {'<br>'.join(f'`{test}`' for test in tests)} |\n"


def _rule_rows(scenarios: Mapping[str, Scenario]) -> list[str]:
    return [
        f"| `{case.rule}` | {_link(name, scenario.title)} | {case.because} "
        f"| {'; '.join(case.breaks)} |\n"
        for name, scenario in scenarios.items()
        for case in scenario.without
    ]


def _link(name: str, words: str | None = None) -> str:
    return f"[{words or name}](../scenarios/{name}.toml)"


if __name__ == "__main__":
    folder, lab_tests = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    sys.stdout.write(page(load_scenarios(folder), find_tests(lab_tests)))
