"""The safety case names what is there, and leaves no rule of the guard out."""

from aerostat.engine.params import GuardRule
from docs.generated import DOCS, page, writer

CASE = writer("safety_case")
HAZARDS = CASE.hazards()


def test_the_page_is_as_the_hazards_are() -> None:
    assert page("explanation/safety-case.md") == CASE.safety_case(), "run script/docs"


def test_every_rule_of_the_guard_guards_against_something() -> None:
    named = {rule for hazard in HAZARDS for rule in hazard.get("rules", ())}
    assert named == {rule.value for rule in GuardRule}


def test_every_hazard_has_a_guard_and_a_test_that_exists() -> None:
    for hazard in HAZARDS:
        assert hazard.get("rules") or hazard.get("also"), hazard["name"]
        assert hazard["tests"], hazard["name"]
        missing = [test for test in hazard["tests"] if not CASE.is_there(test)]
        assert missing == [], hazard["name"]


def test_every_rule_is_shown_by_a_scenario_that_fails_without_it() -> None:
    """Of those named beside it, one at least switches it off."""
    for hazard in HAZARDS:
        files = [DOCS.parent / "scenarios" / f"{name}.toml" for name in hazard.get("scenarios", ())]
        text = "".join(file.read_text("utf-8") for file in files)
        unshown = [rule for rule in hazard.get("rules", ()) if f'rule = "{rule}"' not in text]
        assert unshown == [], hazard["name"]
