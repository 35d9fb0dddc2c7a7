"""Simulated guests do roughly what real ones did in the lab's prototype.

The bounds are wide: each figure of the lab is one run, on a machine that others were using.
docs/simulator.md shows both sides.
"""

from dataclasses import dataclass, field

import pytest

from aerostat.sim.guest_state import HeapMode
from aerostat.sim.seconds import WorkloadSecond
from aerostat.units import MIB
from sim.worlds import rotating, served_ratio


@dataclass
class Outcome:
    everybody: list[WorkloadSecond] = field(default_factory=list)
    big: list[WorkloadSecond] = field(default_factory=list)
    steady: list[WorkloadSecond] = field(default_factory=list)
    swap_in_mib: float = 0.0
    swap_out_mib: float = 0.0

    def p99_s(self) -> float:
        histogram: dict[int, int] = {}
        for second in self.everybody:
            for bucket, count in second.latency_histogram.items():
                histogram[bucket] = histogram.get(bucket, 0) + count
        left = 0.99 * sum(histogram.values())
        for bucket in sorted(histogram):
            left -= histogram[bucket]
            if left <= 0:
                return float(2 ** ((bucket + 0.5) / 12) * 1e-6)
        raise AssertionError("nothing was served")


def release(*, small_mib: int, big_mib: int) -> Outcome:
    """The lab's release shape: 512 MiB guests, hot 350/80/80 MiB, 3 phases of 25 s."""
    outcome = Outcome()
    for world, big in rotating(
        targets_mib=lambda is_big: big_mib if is_big else small_mib,
        hot_mib=(80, 350),
        phase_s=25,
    ):
        for name, guest in ((str(g), guest) for g, guest in world.guests.items()):
            seconds = guest.take_seconds()
            outcome.everybody += seconds
            if name == big:
                outcome.big += seconds
                outcome.steady += seconds[-8:]
        outcome.swap_in_mib = sum(g.state.swap_in_bytes for g in world.guests.values()) / MIB
        outcome.swap_out_mib = sum(g.state.swap_out_bytes for g in world.guests.values()) / MIB
    return outcome


def test_an_even_split_starves_the_big_guest_as_in_the_lab() -> None:
    """Lab, static: goodput .867, big .607, steady .421, p99 509 ms, swap 486/764 MiB."""
    outcome = release(small_mib=300, big_mib=300)
    assert served_ratio(tuple(outcome.everybody)) == pytest.approx(0.867, abs=0.05)
    assert served_ratio(tuple(outcome.big)) == pytest.approx(0.607, abs=0.08)
    assert served_ratio(tuple(outcome.steady)) == pytest.approx(0.421, abs=0.06)
    assert outcome.p99_s() == pytest.approx(0.509, rel=0.05)
    assert outcome.swap_in_mib == pytest.approx(486, rel=0.2)
    assert outcome.swap_out_mib == pytest.approx(764, rel=0.2)


def test_guests_that_get_what_they_need_serve_all_as_in_the_lab() -> None:
    """Lab, oracle: goodput 1.004 (rows are a second wide), p99 4.7 ms, no swap."""
    outcome = release(small_mib=239, big_mib=422)
    assert served_ratio(tuple(outcome.everybody)) > 0.995
    assert outcome.p99_s() == pytest.approx(0.0047, rel=0.1)
    assert outcome.swap_in_mib == pytest.approx(0, abs=1)


def test_a_cold_heap_under_an_even_split_thrashes_as_in_the_lab() -> None:
    """Lab, cold, static: goodput .773, big .342, steady .380, swap 739/749 MiB."""
    everybody: list[WorkloadSecond] = []
    big: list[WorkloadSecond] = []
    swapped_in: list[float] = []
    for world, big_name in rotating(
        targets_mib=lambda _: 206,
        hot_mib=(40, 200),
        phase_s=30,
        max_mib=384,
        mode=HeapMode.COLD,
        settle_s=15,
    ):
        for name, guest in world.guests.items():
            seconds = guest.take_seconds()
            everybody += seconds
            big += seconds if name == big_name else ()
        swapped_in.append(sum(g.state.swap_in_bytes for g in world.guests.values()) / MIB)
    assert served_ratio(tuple(everybody)) == pytest.approx(0.773, abs=0.05)
    assert served_ratio(tuple(big)) == pytest.approx(0.342, abs=0.08)
    assert swapped_in[-1] == pytest.approx(739, rel=0.2)
