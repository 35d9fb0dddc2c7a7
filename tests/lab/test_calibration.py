"""A probe on a real guest: idle cache is there when ordered, and the balloon's way is recorded."""

import asyncio

import pytest

from aerostat.lab.calibration.play import play_real, play_simulated
from aerostat.lab.calibration.probe import Act, Probe
from aerostat.lab.image import GuestImage
from aerostat.sim.calibration import calibrated_for
from aerostat.units import MIB

pytestmark = [pytest.mark.lab, pytest.mark.beside]

SHORT = Probe(
    name="short",
    words="an idle cache is taken",
    acts=(Act(at_s=2, orders={"files": 200 * MIB}), Act(at_s=7, target_mib=250)),
    duration_s=12,
)


def test_a_probe_plays_on_a_real_guest_as_on_a_simulated_one(image: GuestImage) -> None:
    """Both have the cache, and both give it up; how fast is what calibration is about."""
    del image  # built before the clock runs
    real, fleet = asyncio.run(play_real(SHORT, print))
    assert fleet.accelerator in {"tcg", "kvm"}
    simulated = play_simulated(SHORT, calibrated_for("tcg"))
    for record in (real, simulated):
        before = [s for at, s in record.samples if 5 < at < 7]
        after = [s for at, s in record.samples if at > 9]
        assert before, record.samples
        assert after, record.samples
        cached = before[-1].available_bytes - before[-1].free_bytes
        assert cached > 120 * MIB
        assert record.actual[0][1] == 512 * MIB
        assert record.actual[-1][1] == 250 * MIB
        assert after[-1].available_bytes - after[-1].free_bytes < cached
        assert after[-1].swap_out_bytes < 20 * MIB
