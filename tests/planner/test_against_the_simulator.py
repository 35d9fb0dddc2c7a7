"""The plan's arithmetic without balloons beside the simulator that plays the same VMs.

The simulated guests hold all their max, as guests without balloons do, and the host swaps and
compresses what does not fit. The arithmetic takes samples as a whole, and the guests of a plan have
no kernels that work: within 3 % the two must come to the same.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from aerostat.planner.constants import POOL_RATIO, REPORTED_RATIO
from aerostat.planner.costs import Costs
from aerostat.planner.hosts import Hosts
from aerostat.planner.parts import Part
from aerostat.planner.question import Question, Technique
from aerostat.planner.uncooperative import uncooperative_costs
from aerostat.sim.fleet.columns import Fleet
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.full.constants import HYPERVISOR_BYTES, UNFIT_RATIO
from aerostat.sim.fleet.full.tick import end_tick
from aerostat.sim.fleet.physics import begin_tick
from aerostat.sim.fleet.world import FleetWorld, fleet_of
from aerostat.units import GIB

ERROR_RATIO = 0.03
VMS = 12
MAX_BYTES = 4 * GIB
SAMPLES = 24
SAMPLE_S = 300.0
TICK_S = 10.0
TECHNIQUES = [Technique.OVERCOMMIT, Technique.REPORTING, Technique.ZSWAP, Technique.REPORTING_ZSWAP]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Byte-seconds, as in ``Costs``, and the share of the time in which the host swapped."""

    short_byte_s: float
    compressed_byte_s: float
    pressed_ratio: float


def part() -> Part:
    """Every VM is busy for half an hour, each at another time, and rests on a quarter of that."""
    used = np.full((VMS, SAMPLES), 0.75 * GIB, dtype=np.int64)
    for vm in range(VMS):
        used[vm, 2 * vm : 2 * vm + 6] = 3 * GIB
    return Part(
        max_bytes=np.full(VMS, MAX_BYTES, dtype=np.int64),
        used_bytes=used,
        peak_bytes=np.maximum.accumulate(used, axis=1),
        sample_s=SAMPLE_S,
        block_samples=SAMPLES,
        spell_samples=SAMPLES // 2,
        first_block=0,
    )


def planned(technique: Technique, question: Question) -> Costs:
    nobody_else = np.zeros(1, dtype=np.intp)
    order = np.arange(VMS, dtype=np.intp)[np.newaxis]
    hosts = Hosts(part=part(), order=order, block=nobody_else, resample=nobody_else)
    return uncooperative_costs(hosts, VMS, technique, question)


def played(technique: Technique, question: Question, *, file_ratio: float = 0.0) -> Played:
    world = _world(technique, question, file_ratio)
    fleet = fleet_of(world)
    assert list(fleet.guests.actual_bytes) == [MAX_BYTES] * VMS
    deep, short, compressed, pressed = fleet.deep, 0.0, 0.0, 0
    deep.under.other_bytes[0] = _others_bytes(fleet, question)
    for tick in range(world.ticks):
        begin_tick(fleet, tick)
        end_tick(fleet)
        backed = sum(deep.insides.touched_bytes)
        in_use = sum(fleet.guests.demand_bytes) / backed
        short += deep.under.disk_bytes[0] * in_use * TICK_S
        compressed += deep.under.compressed_bytes[0] * in_use * TICK_S
        pressed += deep.under.disk_bytes[0] > 0
    assert sum(deep.under.oom_kills) == 0
    return Played(
        short_byte_s=short, compressed_byte_s=compressed, pressed_ratio=pressed / world.ticks
    )


def _world(technique: Technique, question: Question, file_ratio: float) -> FleetWorld:
    """Of a host so large that everybody has all; what of that is not there, others have taken."""
    supply = VMS * MAX_BYTES
    full = FullPhysics(
        file_ratio=file_ratio,
        kept_ratio=0.0,
        is_reporting=technique.is_reporting,
        host_swap_ratio=2.0,
        pool_ratio=POOL_RATIO * question.supply_bytes / supply if technique.is_compressing else 0.0,
        compressed_ratio=question.compressed_ratio,
    )
    return FleetWorld(
        max_bytes=part().max_bytes,
        demand_bytes=np.ascontiguousarray(part().used_bytes.T),
        guests_a_host=VMS,
        overcommit_ratio=1.0,
        sample_s=SAMPLE_S,
        tick_s=TICK_S,
        supply_bytes=np.array([supply], dtype=np.int64),
        full=full,
    )


def _others_bytes(fleet: Fleet, question: Question) -> int:
    return fleet.hosts.total_bytes[0] - question.supply_bytes - VMS * HYPERVISOR_BYTES


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("host_gib", [16, 24, 32])
def test_the_plan_comes_to_what_the_simulator_does(technique: Technique, host_gib: int) -> None:
    """With free page reporting as the simulated guests have it, which hold no page cache here."""
    question = Question(host_bytes=host_gib * GIB, reported_ratio=1.0 - UNFIT_RATIO)
    costs, truth = planned(technique, question), played(technique, question)
    wanted = float(costs.wanted_byte_s.sum())
    assert costs.unmet_ratio == pytest.approx(truth.short_byte_s / wanted, abs=ERROR_RATIO)
    assert costs.compressed_ratio == pytest.approx(
        truth.compressed_byte_s / wanted, abs=ERROR_RATIO
    )
    assert costs.pressed_ratio == pytest.approx(truth.pressed_ratio, abs=ERROR_RATIO)


def test_these_hosts_tell_the_techniques_apart() -> None:
    """Else the agreement above would say nothing: each technique leaves less to the swap."""
    asked = Question(host_bytes=24 * GIB)
    short = [planned(technique, asked).unmet_ratio for technique in TECHNIQUES]
    assert short[0] > short[1] > short[3]
    assert short[0] > short[2] > short[3]
    assert short[0] > 0.1


def test_what_is_planned_of_reporting_lies_between_no_page_cache_and_nothing_else() -> None:
    """A trace does not tell how much of what is not in use is cache, of which none is reported."""
    question = Question(host_bytes=24 * GIB)
    costs = planned(Technique.REPORTING, question)
    wanted = float(costs.wanted_byte_s.sum())
    assert REPORTED_RATIO < 1.0 - UNFIT_RATIO
    without = played(Technique.REPORTING, question).short_byte_s / wanted
    whole = played(Technique.REPORTING, question, file_ratio=0.9).short_byte_s / wanted
    assert without < costs.unmet_ratio < whole
