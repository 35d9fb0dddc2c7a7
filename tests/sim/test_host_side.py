"""What a simulated host does to one guest: swap that stays, a limit of its own, and an agent."""

import pytest

from aerostat.model.guest import GuestSnapshot
from aerostat.sim.constants import HostPhysics
from aerostat.sim.guest_state import Load
from aerostat.sim.physics import GuestBuild
from aerostat.sim.world import GuestSpec, World
from aerostat.units import GIB, MIB, PAGE_BYTES

IDLE = Load(hot_bytes=100 * MIB, requests_per_s=0.0)


def guest(name: str, load: Load = IDLE, **build: object) -> GuestSpec:
    made = GuestBuild(max_bytes=GIB, touches_all=True, **build)  # type: ignore[arg-type]
    return GuestSpec(name=name, build=made, load=load)


def world(*guests: GuestSpec, sticks: bool = True, ram: int = 4 * GIB) -> World:
    return World(guests, host=HostPhysics(total_bytes=ram, other_bytes=0, swap_sticks=sticks))


def seen(world: World, name: str) -> GuestSnapshot:
    overhead = world.host.physics.hypervisor_bytes
    return world.guest(name).snapshot(wall_s=world.wall_s, hypervisor_bytes=overhead)


def squeeze(world: World, for_s: float = 5.0) -> None:
    """Something else on the host takes 3 GiB for a while."""
    world.host.other_bytes = 3.0 * GIB
    world.advance(for_s)
    world.host.other_bytes = 0.0
    world.advance(1.0)


@pytest.mark.parametrize(("sticks", "stays"), [(True, True), (False, False)])
def test_what_was_swapped_stays_out_until_it_is_touched(sticks: bool, stays: bool) -> None:
    idle = world(guest("a"), guest("b"), sticks=sticks)
    squeeze(idle)
    footprint = seen(idle, "a").footprint
    assert footprint is not None
    assert ((footprint.swap_bytes or 0) > 400 * MIB) is stays
    assert (idle.host.memory().swap_free_bytes < 2 * GIB - 900 * MIB) is stays


def test_a_guest_at_work_reads_its_pages_back_and_waits_for_them() -> None:
    busy = world(guest("a"), guest("b", Load(hot_bytes=400 * MIB, requests_per_s=2000)))
    squeeze(busy)
    before = seen(busy, "b").footprint
    busy.advance(60)
    after, idle = seen(busy, "b").footprint, seen(busy, "a").footprint
    assert before is not None
    assert after is not None
    assert idle is not None
    assert (after.swap_bytes or 0) < (before.swap_bytes or 0) / 2
    assert (after.swap_in_bytes or 0) > (before.swap_in_bytes or 0) + 100 * MIB
    assert (after.pressure_some_total_s or 0) > (before.pressure_some_total_s or 0)
    assert (idle.swap_bytes or 0) > 400 * MIB


def test_inflating_a_guest_whose_memory_is_in_swap_reads_it_in_and_takes_long() -> None:
    """Measured on a real guest: its balloon made the host read 200 MiB back (pages are zeroed)."""
    took_s = {}
    for sticks in (True, False):
        idle = world(guest("a"), guest("b"), sticks=sticks)
        squeeze(idle)
        read = idle.host.memory().swap_in_bytes or 0
        began_s = idle.now_s
        idle.guest("a").set_target(512 * MIB)
        while idle.guest("a").actual_bytes > 513 * MIB:
            idle.advance(0.05)
        took_s[sticks] = idle.now_s - began_s
        read = (idle.host.memory().swap_in_bytes or 0) - read
        assert (read > 200 * MIB) is sticks
    assert took_s[True] > 3 * took_s[False]


def test_a_limit_of_its_own_pages_it_out_on_a_host_with_room() -> None:
    limited = world(guest("a", limit_bytes=600 * MIB), guest("b"), sticks=False)
    limited.advance(2)
    a, b = seen(limited, "a").footprint, seen(limited, "b").footprint
    assert a is not None
    assert b is not None
    assert a.cgroup_bytes == pytest.approx(600 * MIB, abs=PAGE_BYTES)
    assert (a.limit_hits or 0) > 100_000
    assert a.limit_bytes == 600 * MIB
    assert (b.limit_hits, b.limit_bytes, b.swap_bytes) == (0, None, 0)
    assert limited.host.memory().available_bytes > GIB


def test_an_agent_tells_waits_and_refaults_and_without_one_nothing_does() -> None:
    reader = Load(hot_bytes=50 * MIB, file_bytes=600 * MIB, file_pages_per_s=20_000)
    read = world(guest("a", reader, has_agent=True), guest("b", reader))
    read.advance(20)
    read.guest("a").set_target(400 * MIB)
    read.advance(20)
    pressure = seen(read, "a").pressure
    assert pressure is not None
    assert (pressure.refaults or 0) > 1000
    assert pressure.some_total_s is not None
    assert seen(read, "b").pressure is None
