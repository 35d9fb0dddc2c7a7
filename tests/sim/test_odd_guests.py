"""Guests and hosts that incidents are made of: liars, pinned RAM, merged pages, slow shutdowns."""

from dataclasses import replace

import pytest

from aerostat.model.events import Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import RunState
from aerostat.sim.constants import GuestPhysics, HostPhysics
from aerostat.sim.guest_state import HeapMode, Load
from aerostat.sim.physics import GuestBuild
from aerostat.sim.world import GuestSpec, World
from aerostat.units import GIB, MIB
from sim.worlds import build, world_of_one

FULL = GuestBuild(max_bytes=512 * MIB, touches_all=True)


def held_mib(world: World) -> float:
    return world.guest("vm").held_bytes / MIB


@pytest.mark.parametrize(
    ("fault", "held"), [(None, 300), ("keeps_touching", 512), ("is_pinned", 512)]
)
def test_what_inflating_gives_back_is_nothing_from_a_liar_or_pinned_ram(
    fault: str | None, held: int
) -> None:
    world = world_of_one(target_mib=300, guest_build=FULL)
    if fault is not None:
        setattr(world.guest("vm").faults, fault, True)
    world.advance(10)
    assert world.guest("vm").actual_bytes == 300 * MIB
    assert held_mib(world) == pytest.approx(held, abs=1)
    snapshot = world.guest("vm").snapshot(wall_s=world.wall_s, hypervisor_bytes=0)
    assert snapshot.footprint is not None
    assert snapshot.footprint.rss_bytes == pytest.approx(held * MIB, abs=MIB)


def test_a_system_that_touches_all_holds_all_from_its_boot_on() -> None:
    world = world_of_one(guest_build=FULL)
    assert held_mib(world) == 512
    world.guest("vm").set_target(300 * MIB)
    world.advance(5)
    world.reset("vm")
    assert held_mib(world) == 512


def test_a_driver_may_say_nothing_at_first() -> None:
    world = world_of_one(guest_build=replace(build(), figures_after_s=20.0))

    def sampled_wall_s() -> float:
        statistics = world.guest("vm").snapshot(wall_s=world.wall_s, hypervisor_bytes=0).statistics
        assert statistics is not None
        return statistics.sampled_wall_s

    world.advance(19)
    assert sampled_wall_s() == 0
    world.advance(3)
    assert sampled_wall_s() > 0


@pytest.mark.parametrize("balloon_mib", [0, 200])
def test_shutting_down_lasts_longer_the_fuller_the_balloon(balloon_mib: int) -> None:
    physics = GuestPhysics()
    world = world_of_one(target_mib=512 - balloon_mib)
    world.advance(5)
    heard: list[Event] = []
    world.listen(heard.append)
    world.power_down("vm")
    lasts_s = physics.shutdown_s + balloon_mib * MIB / physics.shutdown_balloon_bytes_per_s
    world.advance(lasts_s - 0.5)
    assert world.guest("vm").run_state is RunState.RUNNING
    world.advance(1.0)
    assert world.guest("vm").run_state is RunState.SHUTDOWN
    kinds = [event.kind for event in heard if isinstance(event, LifecycleChanged)]
    assert kinds == [LifecycleKind.SHUTDOWN_ASKED, LifecycleKind.SHUTDOWN]


def test_deflating_shortens_a_shutdown_under_way() -> None:
    world = world_of_one(target_mib=200)
    world.advance(5)
    world.power_down("vm")
    world.advance(2)
    world.guest("vm").set_target(512 * MIB)
    world.advance(4)
    assert world.guest("vm").run_state is RunState.SHUTDOWN


def test_merged_pages_save_memory_until_they_are_written_to() -> None:
    spec = GuestSpec(name="vm", build=FULL)
    world = World([spec], host=HostPhysics(total_bytes=2 * GIB, other_bytes=0))
    world.advance(1)
    before = world.host.memory()
    assert before.revocable_bytes is None
    world.host.shared_bytes = 100.0 * MIB
    world.advance(1)
    merged = world.host.memory()
    assert merged.available_bytes - before.available_bytes == 100 * MIB
    assert merged.revocable_bytes == 100 * MIB
    world.host.shared_bytes = 0.0
    world.advance(1)
    assert world.host.memory().available_bytes == before.available_bytes


def test_no_more_is_merged_than_guests_hold() -> None:
    world = world_of_one(guest_build=FULL)
    world.host.shared_bytes = 10.0 * GIB
    world.advance(1)
    assert world.host.memory().revocable_bytes == 512 * MIB
    assert world.host.memory().available_bytes <= world.host.physics.total_bytes


def squeezed_on(host: HostPhysics) -> tuple[World, int]:
    """A cold guest squeezed by 150 MiB; and what the host read from its swap meanwhile."""
    load = Load(hot_bytes=0, mode=HeapMode.COLD, heap_bytes=380 * MIB)
    world = World([GuestSpec(name="vm", build=build(), load=load)], host=host)
    world.advance(10)
    before = world.host.memory().swap_in_bytes or 0
    world.guest("vm").set_target(350 * MIB)
    world.advance(2)
    return world, (world.host.memory().swap_in_bytes or 0) - before


def test_squeezing_a_guest_makes_a_swapping_host_swap_more_and_goes_slowly() -> None:
    """What a guest writes to its own swap must come in from the host's first."""
    roomy, roomy_swap_in = squeezed_on(HostPhysics())
    tight, tight_swap_in = squeezed_on(HostPhysics(total_bytes=320 * MIB, other_bytes=0))
    assert roomy_swap_in == 0
    assert tight_swap_in > 20 * MIB
    assert tight.guest("vm").actual_bytes > roomy.guest("vm").actual_bytes + 5 * MIB


def test_a_guest_may_have_been_at_a_target_since_before_the_world_began() -> None:
    world = world_of_one(guest_build=FULL)
    world.guest("vm").start_ballooned(300 * MIB)
    assert world.guest("vm").actual_bytes == 300 * MIB
    assert world.guest("vm").target_bytes == 300 * MIB
    assert held_mib(world) == 300
