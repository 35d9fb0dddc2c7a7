"""The pages on incidents and scenarios say what files and code say."""

from aerostat.sim.scenario.page import page
from aerostat.sim.scenario.real_guests import find_tests
from aerostat.sim.scenario.reference import reference
from sim.scenarios import FOLDER, SCENARIOS

RUN = "run script/incidents"
DOCS = FOLDER.parent / "docs"
ON_REAL_GUESTS = {"R1", "R2", "R4", "R5", "R6", "R7", "R9", "R11", "R14", "R15", "R18"}
SHOWN = find_tests(FOLDER.parent / "tests" / "lab")


def test_the_page_is_as_the_files_are() -> None:
    """Who reads of an incident shall find what is tested, and nothing else."""
    assert (DOCS / "incidents.md").read_text(encoding="utf-8") == page(SCENARIOS, SHOWN), RUN


def test_what_real_guests_can_show_is_shown_on_them() -> None:
    assert set(SHOWN) >= ON_REAL_GUESTS
    assert set(SHOWN) <= {scenario.incident for scenario in SCENARIOS.values()}


def test_the_reference_is_as_the_declarations_are() -> None:
    """A key that is not on the page does not exist."""
    assert (DOCS / "scenarios.md").read_text(encoding="utf-8") == reference(), RUN
