"""The scenario files of the repository, and how tests run them."""

from dataclasses import replace
from pathlib import Path

from aerostat.engine.params import GuardRule
from aerostat.policy.params import PolicyName
from aerostat.sim.scenario.read import load_scenarios
from aerostat.sim.scenario.run import Verdict, params_of, play
from aerostat.sim.scenario.tables import Scenario

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = load_scenarios(FOLDER)


def ours(scenario: Scenario) -> Verdict:
    """Our engine, with all its rules."""
    return play(scenario, params_of(scenario))


def under_peer(scenario: Scenario, policy: PolicyName) -> Verdict:
    """Somebody else's rule, under its own limits."""
    return play(scenario, replace(params_of(scenario), policy=policy, is_guarded=False))


def without(scenario: Scenario, rule: GuardRule) -> Verdict:
    """Our engine, with one rule switched off."""
    return play(scenario, replace(params_of(scenario), rules_off=frozenset({rule})))
