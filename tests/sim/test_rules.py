"""Every rule of the guard earns its keep: a scenario goes wrong when it alone is switched off."""

import pytest

from aerostat.engine.params import GuardRule
from sim.scenarios import SCENARIOS, without

pytestmark = pytest.mark.slow  # a scenario a rule

CASES = {
    f"{case.rule.value}: {name}": (name, index)
    for name, scenario in SCENARIOS.items()
    for index, case in enumerate(scenario.without)
}


@pytest.mark.parametrize("rule", GuardRule)
def test_every_rule_has_a_scenario(rule: GuardRule) -> None:
    """One that our engine survives with all rules on, so that the rule makes the difference."""
    proofs = [
        name
        for name, scenario in SCENARIOS.items()
        if scenario.known_failure is None and any(case.rule is rule for case in scenario.without)
    ]
    assert proofs, f"no scenario fails without {rule}: write one, or delete the rule"


@pytest.mark.parametrize("case", CASES)
def test_it_goes_wrong_without_the_rule(case: str) -> None:
    name, index = CASES[case]
    scenario = SCENARIOS[name]
    rule = scenario.without[index]
    verdict = without(scenario, rule.rule)
    missing = set(rule.breaks) - set(verdict.failures)
    assert not missing, f"without {rule.rule} these held all the same: {sorted(missing)}\n{verdict}"
