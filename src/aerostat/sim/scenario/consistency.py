"""What contradicts itself in a scenario whose single values are right."""

from collections.abc import Iterator

from aerostat.config.lines import KeyPath
from aerostat.config.values import shown
from aerostat.sim.scenario.check import Check, GuestCheck
from aerostat.sim.scenario.happening import Happening
from aerostat.sim.scenario.tables import Scenario
from aerostat.sim.scenario.values import matching

Finding = tuple[KeyPath, str]


def contradictions(scenario: Scenario) -> Iterator[Finding]:
    """Everything that cannot be as it is written."""
    yield from _names(scenario)
    for index, happening in enumerate(scenario.at):
        yield from _happening(("at", index), happening, scenario)
    for index, check in enumerate(scenario.must):
        yield from _check(("must", index), check, scenario)
    yield from _breaks(scenario)
    if scenario.peer is None and not scenario.without:
        message = "nothing is said to fail here: write [peer] or [[without]]"
        yield (), message


def _names(scenario: Scenario) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, guest in enumerate(scenario.guest):
        for name in guest.names():
            if name in seen:
                yield ("guest", index, "name"), f"there is another guest {name}"
            seen.add(name)
        if guest.asks is not None and guest.appears is None:
            yield ("guest", index, "asks"), 'only who comes later asks: write appears = "10s"'
    names = [check.name for check in scenario.must]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("must", index, "name"), f"there is another check {shown(name)}"


def _happening(where: KeyPath, happening: Happening, scenario: Scenario) -> Iterator[Finding]:
    if happening.time >= scenario.duration:
        yield (*where, "time"), f"it comes after the end, which is at {scenario.duration:g} s"
    if happening.is_about_guests and happening.guest is None:
        yield where, 'it is not said to whom: write guest = "db"'
    if not happening.is_about_guests and not happening.is_about_the_host:
        yield where, "nothing happens here: write what does"
    if happening.guest is not None and not matching(happening.guest, scenario.names):
        yield (*where, "guest"), _no_guest(happening.guest, scenario)


def _check(where: KeyPath, check: Check, scenario: Scenario) -> Iterator[Finding]:
    if check.after >= scenario.duration:
        yield (*where, "after"), f"it begins after the end, which is at {scenario.duration:g} s"
    if check.until is not None and check.until <= check.after:
        yield (*where, "until"), "the window ends before it begins"
    if isinstance(check, GuestCheck) and not matching(check.guest, scenario.names):
        yield (*where, "guest"), _no_guest(check.guest, scenario)


def _no_guest(pattern: str, scenario: Scenario) -> str:
    return f"there is no guest {shown(pattern)}: the guests are {', '.join(scenario.names)}"


def _breaks(scenario: Scenario) -> Iterator[Finding]:
    known = [check.name for check in scenario.must]
    named: list[tuple[KeyPath, tuple[str, ...]]] = []
    if scenario.peer is not None:
        named.append((("peer", "breaks"), scenario.peer.breaks))
    named += [(("without", i, "breaks"), w.breaks) for i, w in enumerate(scenario.without)]
    for where, breaks in named:
        for name in breaks:
            if name not in known:
                yield where, f"there is no check {shown(name)}: the checks are {', '.join(known)}"
