"""Fleet and world: the same demand and the same targets come to the same, within stated bounds.

A guest of 512 MiB wants 150 MiB, then 350, then 150 again; its balloon takes it to 300 while it
wants most, and gives all back in the end. The world steps 20 times where a fleet ticks once.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from aerostat.sim.ages import UNIFORM
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.full.constants import KERNEL_BYTES, PAGE_TABLE_RATIO
from aerostat.sim.fleet.full.tick import end_tick
from aerostat.sim.fleet.physics import begin_tick
from aerostat.sim.fleet.world import FleetWorld, fleet_of
from aerostat.sim.guest_state import Load
from aerostat.sim.physics import GuestBuild
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

MAX_BYTES = 512 * MIB
HOT_MIB = [150] * 30 + [350] * 30 + [150] * 30
TARGET_MIB = [512] * 40 + [300] * 35 + [512] * 15
SQUEEZED = slice(41, 60)
SIZE_ERROR_RATIO = 0.06
"""Of the guest's max, at every second: a tick orders what goes on at once in the world."""
SWAP_ERROR_RATIO = 0.05
WORK_ERROR_RATIO = 0.1


@dataclass(slots=True, kw_only=True)
class Second:
    """How the guest is at the end of one."""

    actual_bytes: float
    swapped_bytes: float
    swap_in_bytes: float
    swap_out_bytes: float
    done_ratio: float  # of the work


def of_world() -> list[Second]:
    load = Load(hot_bytes=HOT_MIB[0] * MIB)
    world = World([GuestSpec(name="vm", build=GuestBuild(max_bytes=MAX_BYTES), load=load)])
    guest = world.guest("vm")
    seconds = []
    for hot_mib, target_mib in zip(HOT_MIB, TARGET_MIB, strict=True):
        guest.set_hot(hot_mib * MIB)
        guest.set_target(target_mib * MIB)
        guest.take_seconds()
        world.advance(1.0)
        told = guest.take_seconds()
        state = guest.state
        seconds.append(
            Second(
                actual_bytes=state.actual_bytes,
                swapped_bytes=state.swapped_bytes,
                swap_in_bytes=state.swap_in_bytes,
                swap_out_bytes=state.swap_out_bytes,
                done_ratio=sum(one.served for one in told) / sum(one.offered for one in told),
            )
        )
    return seconds


def of_fleet() -> list[Second]:
    kernel_bytes = KERNEL_BYTES + int(MAX_BYTES * PAGE_TABLE_RATIO)
    world = FleetWorld(
        max_bytes=np.array([MAX_BYTES]),
        demand_bytes=np.array([[hot_mib * MIB + kernel_bytes] for hot_mib in HOT_MIB]),
        guests_a_host=1,
        overcommit_ratio=1.0,
        sample_s=1.0,
        tick_s=1.0,
        min_bytes=np.array([128 * MIB]),
        full=FullPhysics(file_ratio=0.0, kept_ratio=0.0, swap_ratio=1.0, ages=UNIFORM),
    )
    fleet = fleet_of(world)
    guests, inside = fleet.guests, fleet.deep.insides
    seconds: list[Second] = []
    lost_s = 0.0
    for tick, target_mib in enumerate(TARGET_MIB):
        begin_tick(fleet, tick)
        guests.target_bytes[0] = target_mib * MIB
        end_tick(fleet)
        seconds.append(
            Second(
                actual_bytes=guests.actual_bytes[0],
                swapped_bytes=guests.swapped_bytes[0],
                swap_in_bytes=guests.swap_in_bytes[0],
                swap_out_bytes=guests.swap_out_bytes[0],
                done_ratio=1.0 - (inside.lost_s[0] - lost_s),
            )
        )
        lost_s = inside.lost_s[0]
    return seconds


def test_a_fleet_and_a_world_agree_on_one_demand() -> None:
    deep, coarse = of_world(), of_fleet()
    for second, (one, other) in enumerate(zip(deep, coarse, strict=True)):
        for name in ("actual_bytes", "swapped_bytes"):
            apart = abs(getattr(one, name) - getattr(other, name))
            assert apart <= SIZE_ERROR_RATIO * MAX_BYTES, (second, name)
    for name in ("swap_in_bytes", "swap_out_bytes"):
        assert getattr(coarse[-1], name) == pytest.approx(
            getattr(deep[-1], name), rel=SWAP_ERROR_RATIO
        )
    done = [np.mean([second.done_ratio for second in run[SQUEEZED]]) for run in (deep, coarse)]
    assert done[0] < 0.7, "else the squeeze says nothing"
    assert done[0] == pytest.approx(done[1], abs=WORK_ERROR_RATIO)
