"""The pages on incidents and scenarios say what files and code say."""

from aerostat.sim.scenario.page import page
from aerostat.sim.scenario.reference import reference
from sim.scenarios import FOLDER, SCENARIOS

RUN = "run script/incidents"
DOCS = FOLDER.parent / "docs"


def test_the_page_is_as_the_files_are() -> None:
    """Who reads of an incident shall find what is tested, and nothing else."""
    assert (DOCS / "incidents.md").read_text(encoding="utf-8") == page(SCENARIOS), RUN


def test_the_reference_is_as_the_declarations_are() -> None:
    """A key that is not on the page does not exist."""
    assert (DOCS / "scenarios.md").read_text(encoding="utf-8") == reference(), RUN
