"""Full physics of fleets: memory is conserved, and each technique and trouble shows."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerostat.policy.params import PolicyName
from aerostat.sim.ages import UNIFORM, Ages
from aerostat.sim.fleet.columns import Fleet
from aerostat.sim.fleet.draw import Draw, drawn_world
from aerostat.sim.fleet.full import guest as guest_ticks
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.full.constants import BOOT_S, RESTART_S
from aerostat.sim.fleet.full.guest import in_use
from aerostat.sim.fleet.full.tick import end_tick
from aerostat.sim.fleet.physics import begin_tick
from aerostat.sim.fleet.run import run_policy
from aerostat.sim.fleet.summary import Summary, summary_of
from aerostat.sim.fleet.synthetic import synthetic_trace
from aerostat.sim.fleet.world import FleetWorld, fleet_of
from aerostat.units import GIB, MIB
from sim.fleet.fleet_worlds import world

SKEWED = Ages(0.45, 0.6, 0.75, 0.9)
EVERYTHING = FullPhysics(
    is_reporting=True, identical_ratio=0.1, pool_ratio=0.2, scan_rate=20.0 * MIB
)


def drawn(full: FullPhysics | None, *, samples: int = 12) -> FleetWorld:
    trace = synthetic_trace(seed=5, vms=12, samples=samples)
    draw = Draw(seed=2, hosts=2, guests_a_host=6)
    return replace(drawn_world(trace, draw, overcommit_ratio=5.0), full=full)


def summed(full: FullPhysics | None, policy: PolicyName = PolicyName.STATIC) -> Summary:
    w = drawn(full)
    return summary_of(w, run_policy(w, policy, is_compiled=False))


def check(fleet: Fleet) -> None:
    guests, inside = fleet.guests, fleet.deep.insides
    for i in range(len(guests.actual_bytes)):
        assert 0 <= in_use(inside, i) <= inside.touched_bytes[i] <= guests.actual_bytes[i], i
        assert guests.actual_bytes[i] <= guests.max_bytes[i]
        assert 0 <= inside.hot_swapped_bytes[i] <= inside.hot_bytes[i]
        assert inside.cold_bytes[i] >= 0
        assert inside.cold_swapped_bytes[i] >= 0
        assert 0 <= inside.cache_bytes[i] <= inside.file_bytes[i]
        assert guests.swapped_bytes[i] <= inside.swap_bytes[i]
        assert 0 <= guests.available_bytes[i] <= guests.actual_bytes[i]


@settings(max_examples=80)
@given(
    moves=st.lists(st.tuples(st.integers(0, 4096), st.integers(0, 4096)), min_size=1, max_size=12),
    swap_ratio=st.sampled_from([0.0, 0.1, 0.5]),
    yields=st.booleans(),
    tick_s=st.sampled_from([1.0, 10.0, 60.0]),
)
def test_memory_neither_appears_nor_vanishes(
    moves: list[tuple[int, int]], swap_ratio: float, yields: bool, tick_s: float
) -> None:
    """Whatever is demanded and asked: the parts fit into the whole, and nothing is negative."""
    full = FullPhysics(swap_ratio=swap_ratio, yields=yields)
    demand = [[mib / 1024] for mib, _ in moves]
    w = world(demand, max_gib=[4], sample_s=tick_s, tick_s=tick_s)
    fleet = fleet_of(replace(w, full=full))
    for tick, (_, target_mib) in enumerate(moves):
        begin_tick(fleet, tick)
        fleet.guests.target_bytes[0] = target_mib * MIB
        end_tick(fleet)
        check(fleet)


@pytest.mark.parametrize("policy", [PolicyName.ADAPTIVE, PolicyName.STATIC, PolicyName.THRESHOLD])
def test_policies_run_on_full_physics(policy: PolicyName) -> None:
    """Twice the same run, with everything switched on."""
    w = drawn(EVERYTHING)
    outcome = run_policy(w, policy, is_compiled=False)
    for part in outcome.parts:
        check(part)
    assert run_policy(w, policy, is_compiled=False).digest == outcome.digest


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("policy", [PolicyName.ADAPTIVE, PolicyName.THRESHOLD])
def test_compiled_and_interpreted_runs_are_one(policy: PolicyName) -> None:
    """To the last bit of every column."""
    w = drawn(EVERYTHING)
    assert run_policy(w, policy).digest == run_policy(w, policy, is_compiled=False).digest


def test_a_better_policy_loses_less_work() -> None:
    """The even split starves the big ones: it shows in work, swap and refaults."""
    even, ours = summed(FullPhysics()), summed(FullPhysics(), PolicyName.ADAPTIVE)
    assert even.lost_s > 10 * ours.lost_s
    assert even.refault_pages > ours.refault_pages
    assert even.swap_out_bytes > ours.swap_out_bytes


def test_a_skewed_working_set_loses_less_work() -> None:
    """What is used seldom is what lies in swap."""
    assert summed(FullPhysics(ages=SKEWED)).lost_s < summed(FullPhysics(ages=UNIFORM)).lost_s


def one_guest(full: FullPhysics, *demand_mib: int) -> Fleet:
    """A guest of 4 GiB that holds 2, at 10 s a tick."""
    w = world([[mib / 1024] for mib in demand_mib], max_gib=[4], sample_s=10.0)
    return fleet_of(replace(w, full=full))


def let_pass(fleet: Fleet, ticks: int, *, first: int = 0) -> None:
    """So many ticks from one on; beyond the last sample, demand stays."""
    for tick in range(first, first + ticks):
        begin_tick(fleet, min(tick, len(fleet.demand_bytes) - 1))
        end_tick(fleet)


def test_swapping_raises_what_is_available() -> None:
    """The trap: what a squeeze pushed out is in swap, and the guest looks roomier."""
    fleet = one_guest(FullPhysics(kept_ratio=1.0, file_ratio=0.0), 1800, 300, 300, 300)
    let_pass(fleet, 2)
    before = fleet.guests.available_bytes[0]
    fleet.guests.target_bytes[0] = 1024 * MIB
    let_pass(fleet, 2, first=2)
    assert fleet.guests.swapped_bytes[0] > 500 * MIB
    fleet.guests.target_bytes[0] = 2048 * MIB
    let_pass(fleet, 1, first=4)
    assert fleet.guests.available_bytes[0] > before + 500 * MIB


def test_without_swap_a_guest_is_killed_or_yields() -> None:
    """Deflate-on-oom gives back slowly and against the policy; without it, somebody dies."""
    killed = one_guest(FullPhysics(swap_ratio=0.0, yields=False), 500, 3000)
    let_pass(killed, 2)
    assert killed.deep.insides.oom_kills[0] == 1
    spared = one_guest(FullPhysics(swap_ratio=0.0, yields=True), 500, 3000)
    let_pass(spared, 2)
    assert spared.deep.insides.oom_kills[0] == 0
    assert spared.guests.actual_bytes[0] > 2 * GIB
    assert spared.guests.stalled_s[0] > 0


def test_a_balloon_that_gets_nothing_costs_nothing() -> None:
    """Two guests without swap hold just what they want; nothing can be taken, so nothing lacks."""
    full = FullPhysics(swap_ratio=0.0, yields=False, file_ratio=0.0)
    fleet = fleet_of(replace(world([[4.0, 4.0]] * 20, max_gib=[8.0] * 2, sample_s=10.0), full=full))
    fleet.guests.target_bytes[:] = [GIB, GIB]
    let_pass(fleet, 20)
    assert fleet.guests.actual_bytes == [4 * GIB, 4 * GIB]
    assert fleet.guests.short_byte_s == [0.0, 0.0]
    assert fleet.guests.distressed_s == [0.0, 0.0]


def test_what_a_guest_holds_is_scored_and_not_what_was_asked_of_it() -> None:
    """All that its balloon can have goes to swap, at 80 MiB/s: a straight line for all the tick."""
    full = FullPhysics(yields=False, file_ratio=0.0)
    fleet = one_guest(full, 2048)
    fleet.guests.target_bytes[0] = 512 * MIB
    let_pass(fleet, 1)
    lacking = 2048 * MIB - fleet.guests.actual_bytes[0]
    assert lacking == 800 * MIB
    assert fleet.guests.short_byte_s[0] == pytest.approx(lacking / 2 * 10.0)


def test_a_host_is_over_by_what_guests_hold_in_the_end() -> None:
    """A target below the supply does not help while the balloon gets nothing."""
    full = FullPhysics(swap_ratio=0.0, yields=False, file_ratio=0.0)
    fleet = fleet_of(replace(world([[6.0, 6.0]], max_gib=[8.0] * 2, sample_s=10.0), full=full))
    fleet.guests.target_bytes[:] = [6 * GIB, 6 * GIB]
    let_pass(fleet, 1)
    fleet.guests.target_bytes[:] = [4 * GIB, 4 * GIB]
    over_s = fleet.hosts.below_reserve_s[0]
    let_pass(fleet, 1, first=1)
    assert fleet.guests.actual_bytes == [6 * GIB, 6 * GIB]
    assert fleet.hosts.below_reserve_s[0] == over_s + 10.0


def test_a_kill_costs_the_work_until_the_workload_is_back() -> None:
    fleet = one_guest(FullPhysics(swap_ratio=0.0, yields=False, file_ratio=0.0), 500, 3000, 500)
    let_pass(fleet, 2)
    assert fleet.deep.insides.oom_kills[0] == 1
    assert fleet.guests.stalled_s[0] == RESTART_S
    let_pass(fleet, 2, first=2)
    assert fleet.deep.insides.oom_kills[0] == 1
    assert fleet.deep.insides.lost_s[0] == RESTART_S
    assert fleet.deep.insides.restart_in_s[0] == 0.0


def test_a_vm_that_its_host_kills_boots_with_an_empty_balloon() -> None:
    """It is away for longer, and holds all its memory until its balloon has a driver again."""
    fleet = crowded_host(FullPhysics(file_ratio=0.0, host_swap_ratio=0.05))
    fleet.guests.target_bytes[:] = [3584 * MIB] * 4
    ticks = 0
    while fleet.deep.under.oom_kills[0] == 0:
        let_pass(fleet, 1, first=ticks)
        ticks += 1
    fleet.deep.under.swap_bytes[0] = 64 * GIB  # nobody else is killed
    dead = fleet.deep.insides.restart_in_s.index(max(fleet.deep.insides.restart_in_s))
    assert fleet.guests.actual_bytes[dead] == 4 * GIB
    assert fleet.deep.insides.oom_kills[dead] == 0
    before_s = fleet.deep.insides.lost_s[dead]
    let_pass(fleet, 3, first=ticks)
    assert fleet.guests.actual_bytes[dead] == 4 * GIB
    let_pass(fleet, 1, first=ticks + 3)
    assert fleet.deep.insides.lost_s[dead] >= before_s + BOOT_S + RESTART_S
    assert fleet.guests.actual_bytes[dead] == 3584 * MIB


def test_a_balloon_makes_partial_progress_through_what_must_be_swapped() -> None:
    """Free memory and cache go at once; the rest at the pace of the swap device."""
    fleet = one_guest(FullPhysics(file_ratio=0.1, swap_ratio=0.5), 1600)
    let_pass(fleet, 1)
    cached = fleet.deep.insides.cache_bytes[0]
    free = fleet.guests.actual_bytes[0] - in_use(fleet.deep.insides, 0)
    fleet.guests.target_bytes[0] = 300 * MIB
    let_pass(fleet, 1)
    taken = 2 * GIB - fleet.guests.actual_bytes[0]
    assert fleet.deep.insides.cache_bytes[0] == 0
    assert cached + free < taken <= cached + free + 800 * MIB, "and what 80 MiB/s write in 10 s"
    let_pass(fleet, 1)
    assert fleet.guests.actual_bytes[0] == 300 * MIB


@pytest.mark.parametrize("reporting", [True, False])
def test_what_a_host_backs_is_a_high_water_mark_unless_it_is_reported(reporting: bool) -> None:
    fleet = one_guest(FullPhysics(is_reporting=reporting, kept_ratio=0.0), 1800, 300, 300)
    let_pass(fleet, 3)
    touched = int(fleet.deep.insides.touched_bytes[0])
    assert (touched < 900 * MIB) is reporting
    assert (touched >= 1800 * MIB) is not reporting


def crowded_host(full: FullPhysics) -> Fleet:
    """Four guests of 4 GiB use 3 of them on a host that has 8 for them, and hold all they want."""
    w = world([[3.0] * 4] * 12, max_gib=[4.0] * 4, sample_s=10.0)
    fleet = fleet_of(replace(w, full=full))
    fleet.guests.target_bytes[:] = [4 * GIB] * 4
    return fleet


def test_a_host_that_is_too_full_swaps_compresses_or_kills() -> None:
    """Overcommit without balancing: where it goes is the host's own choice of techniques."""
    swapping = crowded_host(FullPhysics(file_ratio=0.0))
    let_pass(swapping, 12)
    assert swapping.deep.under.disk_bytes[0] > GIB
    assert swapping.guests.stalled_s[0] > 0
    packed = crowded_host(FullPhysics(file_ratio=0.0, pool_ratio=0.5))
    let_pass(packed, 12)
    assert packed.deep.under.disk_bytes[0] == 0
    assert packed.deep.under.compressed_bytes[0] > GIB
    assert packed.deep.under.wait_per_touch_s[0] < swapping.deep.under.wait_per_touch_s[0] / 5
    killing = crowded_host(FullPhysics(file_ratio=0.0, host_swap_ratio=0.05))
    let_pass(killing, 12)
    assert killing.deep.under.oom_kills[0] > 0


def test_merging_saves_until_it_is_written_to() -> None:
    """Three of four copies are saved, at half the scanner's pace."""
    full = FullPhysics(file_ratio=0.0, identical_ratio=0.1, scan_rate=100.0 * MIB)
    fleet = crowded_host(full)
    let_pass(fleet, 2)
    early = fleet.deep.under.merged_bytes[0]
    assert 0 < early <= 1000 * MIB
    let_pass(fleet, 10)
    assert fleet.deep.under.merged_bytes[0] == 3 * int(0.1 * 4 * GIB)
    fleet.deep.insides.identical_bytes[:] = [0] * 4
    let_pass(fleet, 1)
    assert fleet.deep.under.merged_bytes[0] == 0


@pytest.mark.parametrize("full", [EVERYTHING, FullPhysics(swap_ratio=0.0)])
def test_the_short_cut_for_guests_at_rest_changes_nothing(
    full: FullPhysics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit: it leaves out what would have no effect."""
    w = drawn(full)
    quick = run_policy(w, PolicyName.THRESHOLD, is_compiled=False).digest
    monkeypatch.setattr(guest_ticks, "is_at_rest", lambda *_: False)
    assert run_policy(w, PolicyName.THRESHOLD, is_compiled=False).digest == quick
