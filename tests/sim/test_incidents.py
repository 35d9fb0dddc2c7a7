"""Every incident from the field: it shows under a peer's rule, and ours survives it.

A scenario that our engine does not survive yet says so itself (``known_failure``); the day it does,
its test fails until that line is taken out.
"""

import pytest

from aerostat.sim.scenario.tables import Scenario
from sim.scenarios import SCENARIOS, ours, under_peer

pytestmark = pytest.mark.slow

INCIDENTS = {f"R{number}" for number in range(1, 21)}
KNOWN_FAILURES = [name for name, s in SCENARIOS.items() if s.known_failure is not None]
UNDER_A_PEER = {name: s for name, s in SCENARIOS.items() if s.peer is not None}


@pytest.mark.parametrize("name", SCENARIOS)
def test_ours_survives(name: str, request: pytest.FixtureRequest) -> None:
    scenario = SCENARIOS[name]
    if scenario.known_failure is not None:
        request.applymarker(pytest.mark.xfail(strict=True, reason=scenario.known_failure))
    verdict = ours(scenario)
    assert verdict.recording.failures == [], "rounds failed"
    assert not verdict.failures, f"{scenario.title}\n{verdict}"


@pytest.mark.parametrize("name", KNOWN_FAILURES)
def test_where_a_check_does_not_hold_yet_the_invariants_do(name: str) -> None:
    recording = ours(SCENARIOS[name]).recording
    assert recording.failures == []
    assert recording.rounds


@pytest.mark.parametrize("name", UNDER_A_PEER)
def test_it_shows_under_the_peers_rule(name: str) -> None:
    """A scenario that nobody fails protects nothing."""
    scenario = UNDER_A_PEER[name]
    assert scenario.peer is not None
    verdict = under_peer(scenario, scenario.peer.policy)
    missing = set(scenario.peer.breaks) - set(verdict.failures)
    assert not missing, f"{scenario.peer.policy} passed {sorted(missing)}\n{verdict}"


def test_every_incident_has_a_scenario() -> None:
    assert {s.incident for s in SCENARIOS.values()} >= INCIDENTS


def test_a_scenario_runs_twice_the_same() -> None:
    """Virtual time, one seed: to the last bit."""
    scenario: Scenario = SCENARIOS["r12-lives-change-in-mid-move"]
    first, second = ours(scenario).recording, ours(scenario).recording
    assert first.rounds == second.rounds
    assert first.commands == second.commands
    assert first.instants == second.instants
