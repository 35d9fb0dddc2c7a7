"""Builders of simulated worlds with defaults, for tests."""

from collections.abc import Callable, Iterator

from aerostat.sim.constants import SwapDevice
from aerostat.sim.guest_state import HeapMode, Load
from aerostat.sim.physics import GuestBuild
from aerostat.sim.seconds import WorkloadSecond
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

NO_SWAP = SwapDevice(size_bytes=0)


def build(
    *, max_mib: int = 512, swap: SwapDevice | None = None, deflate_on_oom: bool = True
) -> GuestBuild:
    return GuestBuild(
        max_bytes=max_mib * MIB,
        swap=SwapDevice() if swap is None else swap,
        deflate_on_oom=deflate_on_oom,
    )


def world_of_one(
    *, hot_mib: int = 80, target_mib: int | None = None, guest_build: GuestBuild | None = None
) -> World:
    spec = GuestSpec(name="vm", build=guest_build or build(), load=Load(hot_bytes=hot_mib * MIB))
    world = World([spec])
    if target_mib is not None:
        world.guest("vm").set_target(target_mib * MIB)
    return world


def seconds_of(world: World, duration_s: float, name: str = "vm") -> tuple[WorkloadSecond, ...]:
    """Run the world for a while and return what the guest's workload said of it."""
    world.guest(name).take_seconds()
    world.advance(duration_s)
    return world.guest(name).take_seconds()


def served_ratio(seconds: tuple[WorkloadSecond, ...]) -> float:
    offered = sum(second.offered for second in seconds)
    assert offered > 0
    return sum(second.served for second in seconds) / offered


def rotating(
    *,
    targets_mib: Callable[[bool], int],
    hot_mib: tuple[int, int],
    phase_s: float,
    max_mib: int = 512,
    mode: HeapMode = HeapMode.RELEASE,
    settle_s: float = 8.0,
) -> Iterator[tuple[World, str]]:
    """Three guests, the big hot set moving round: yields the world at the end of each phase.

    ``targets_mib`` maps "is it the big one?" to what a guest may hold.
    """
    names = ("g0", "g1", "g2")
    small, big = hot_mib
    load = Load(hot_bytes=small * MIB, mode=mode, heap_bytes=250 * MIB)
    guest_build = build(max_mib=max_mib)
    world = World([GuestSpec(name=name, build=guest_build, load=load) for name in names])
    for guest in world.guests.values():
        guest.set_target(targets_mib(False) * MIB)
    world.advance(settle_s)
    for guest in world.guests.values():
        guest.take_seconds()
    for big_name in names:
        for name in names:
            guest = world.guest(name)
            guest.set_hot((big if name == big_name else small) * MIB)
            guest.set_target(targets_mib(name == big_name) * MIB)
        world.advance(phase_s)
        yield world, big_name
