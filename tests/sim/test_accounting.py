"""What is promised to starting VMs is not promised twice, whichever way the host is counted."""

import pytest

from aerostat.engine.params import Accounting
from sim.scenarios import SCENARIOS, ours

pytestmark = pytest.mark.slow

PROMISES = ("r10-three-starts-at-once", "r10b-promised-and-given")


@pytest.mark.parametrize("accounting", Accounting)
@pytest.mark.parametrize("name", PROMISES)
def test_promises_are_kept_under_both_ways_of_counting(name: str, accounting: Accounting) -> None:
    scenario = SCENARIOS[name]
    host = scenario.host.model_copy(update={"accounting": accounting})
    verdict = ours(scenario.model_copy(update={"host": host}))
    assert verdict.recording.failures == [], "rounds failed"
    assert not verdict.failures, str(verdict)
