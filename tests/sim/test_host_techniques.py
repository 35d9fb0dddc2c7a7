"""What a host can do besides ballooning: take reported pages, compress, merge, swap, and kill."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.sim.compression import place
from aerostat.sim.constants import GuestPhysics, HostPhysics
from aerostat.sim.guest_state import HeapMode, Load
from aerostat.sim.physics import GuestBuild
from aerostat.sim.world import GuestSpec, World
from aerostat.units import GIB, MIB


def crowded(host: HostPhysics, *, identical_mib: int = 0, reporting: bool = False) -> World:
    """Three guests that fill 400 of their 512 MiB, and are done with it after 15 seconds."""
    load = Load(
        hot_bytes=40 * MIB,
        mode=HeapMode.COLD,
        heap_bytes=400 * MIB,
        identical_bytes=identical_mib * MIB,
    )
    guest = GuestBuild(max_bytes=512 * MIB, free_page_reporting=reporting)
    world = World([GuestSpec(name=f"vm{n}", build=guest, load=load) for n in range(3)], host=host)
    world.advance(15)
    return world


def roomy(**changed: float) -> HostPhysics:
    return HostPhysics(total_bytes=4 * GIB, other_bytes=0, **changed)  # type: ignore[arg-type] # real fields


def tight(**changed: float | bool) -> HostPhysics:
    """Some 300 MiB too little."""
    return HostPhysics(total_bytes=1350 * MIB, other_bytes=0, **changed)  # type: ignore[arg-type] # real fields


@pytest.mark.parametrize("reporting", [True, False])
def test_freed_memory_comes_back_by_itself_only_where_it_is_reported(reporting: bool) -> None:
    """Lab: 700 MiB freed, 899 to 241 MiB in 3 s with reporting on; unchanged after 8 s without."""
    world = crowded(roomy(), reporting=reporting)
    guest = world.guest("vm0")
    held = guest.held_bytes
    guest.set_load(Load(hot_bytes=40 * MIB, mode=HeapMode.RELEASE))
    world.advance(1.0)
    assert guest.held_bytes == pytest.approx(held), "not before it has lain free for a while"
    world.advance(4.0)
    if reporting:
        assert guest.held_bytes < held - 300 * MIB
        assert guest.held_bytes > guest.state.in_use_bytes, "small pieces are never reported"
    else:
        assert guest.held_bytes == pytest.approx(held)
    assert guest.actual_bytes == 512 * MIB, "the guest may still use it all"


def test_inflating_over_untouched_memory_can_be_faster() -> None:
    """Published: 1.50 GiB/s over untouched memory against 0.88 over touched."""
    took_s = {}
    for touched in (True, False):
        physics = GuestPhysics(inflate_bytes_per_s=0.88 * GIB, inflate_untouched_factor=1.7)
        guest_build = GuestBuild(max_bytes=4 * GIB, physics=physics, touches_all=touched)
        world = World([GuestSpec(name="vm", build=guest_build)])
        world.advance(2)
        world.guest("vm").set_target(GIB)
        began_s = world.now_s
        while world.guest("vm").actual_bytes > GIB:
            world.advance(0.05)
        took_s[touched] = world.now_s - began_s
    assert took_s[True] == pytest.approx(3 / 0.88, rel=0.05)
    assert took_s[False] == pytest.approx(3 / 1.5, rel=0.08)


@given(st.floats(0, 4e9), st.floats(0, 4e9), st.floats(0, 1.2), st.sampled_from([0.0, 1e8, 1e9]))
def test_what_has_no_room_is_somewhere(
    over: float, most: float, ratio: float, pool_max: float
) -> None:
    """Compressed and swapped together make the room that is needed, if there is enough."""
    placed = place(over, most, ratio, pool_max)
    assert placed.pool <= pool_max + 1
    assert placed.compressed + placed.on_disk <= most + 1
    freed = placed.compressed - placed.pool + placed.on_disk
    assert freed <= over + 1
    assert freed >= min(over, most - placed.pool) - 1


def test_compressed_memory_is_quick_to_come_back_and_takes_room() -> None:
    """Far memory in RAM: 6 us a page; the host has less of it left than it compressed."""
    plain, zswap = crowded(tight()), crowded(tight(compressed_pool_bytes_max=600 * MIB))
    assert plain.host.memory().swap_free_bytes < 2 * GIB
    assert zswap.host.memory().swap_free_bytes == 2 * GIB
    assert zswap.host.memory().swap_in_bytes == 0
    assert 0 < zswap.host.stall_per_touch_s < plain.host.stall_per_touch_s / 5
    compressed = sum(guest.host_side.swapped_bytes for guest in zswap.guests.values())
    assert zswap.host.pool_bytes == pytest.approx(compressed / 2, rel=0.01)


def test_what_does_not_fit_into_the_pool_goes_to_disk() -> None:
    """The pool has an end."""
    world = crowded(tight(compressed_pool_bytes_max=50 * MIB))
    assert world.host.pool_bytes == 50 * MIB
    assert world.host.memory().swap_free_bytes < 2 * GIB


def test_merging_takes_its_time_and_a_storm_of_copies_takes_it_back_at_once() -> None:
    """Three guests with 100 MiB in common save 200; scanned at 20 MiB/s, half of it counts."""
    world = crowded(roomy(merge_scan_bytes_per_s=20.0 * MIB), identical_mib=100)
    assert world.host.merged_bytes == pytest.approx(150 * MIB, rel=0.02)
    world.advance(30)
    assert world.host.merged_bytes == pytest.approx(200 * MIB)
    held = world.host.held_bytes
    for guest in world.guests.values():
        guest.change_load(identical_bytes=0)
    world.advance(0.3)
    assert world.host.merged_bytes == 0
    assert world.host.held_bytes == pytest.approx(held + 200 * MIB, rel=0.01)


def test_a_slow_swap_device_makes_everybody_wait() -> None:
    """RAM is full, and a page can be had only as fast as another one is written."""
    quick, slow = crowded(tight()), crowded(tight(swap_out_bytes_per_s=5.0 * MIB))
    assert slow.host.stall_per_touch_s > 10 * quick.host.stall_per_touch_s
    out = [w.host.memory().swap_out_bytes for w in (quick, slow)]
    assert out[0] is not None
    assert out[1] is not None
    assert out[1] < out[0]


def test_a_full_host_kills_the_biggest_vm_only_where_it_is_said() -> None:
    """RAM and swap are full: somebody has to go, and it is a whole VM."""
    spared = crowded(tight(swap_bytes=100 * MIB))
    assert len(spared.guests) == 3
    assert spared.host.over_bytes > 0
    world = crowded(tight(swap_bytes=100 * MIB, kills_when_full=True))
    assert len(world.guests) == 2
    assert world.host.oom_kills == 1
    assert world.host.over_bytes == 0
