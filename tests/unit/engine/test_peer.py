"""Baselines in the engine: their own pace and rules without the guard, our guard in the daemon."""

from dataclasses import replace

import pytest

from aerostat.engine.params import EngineParams
from aerostat.model.reasons import Reason
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES
from aerostat.units import MIB
from builders import Guest, World, params


def as_peer(policy: PolicyName, *, guarded: bool, budget_mib: int = 900) -> EngineParams:
    return replace(params(budget_mib=budget_mib), policy=policy, is_guarded=guarded)


def test_a_baseline_is_asked_at_its_own_pace() -> None:
    """Proxmox's loop looks every 10 s, however often ours runs."""
    world = World(
        guests=[Guest(name="a", actual_mib=200, used_mib=190), Guest(name="b", actual_mib=300)],
        params=as_peer(PolicyName.SHARES, guarded=False),
    )
    moved = [bool(world.round().plan.changes) for _ in range(30)]
    assert moved[0]
    assert not any(moved[1:10])
    assert sum(moved) <= 3


def test_without_the_guard_a_baseline_shrinks_a_starving_guest() -> None:
    """R3: where the rich are exhausted, Proxmox's rule shrinks the starving as well."""
    guests = [Guest(name=n, max_mib=1024, actual_mib=480, used_mib=478) for n in "ab"]
    world = World(guests=guests, params=as_peer(PolicyName.SHARES, guarded=False, budget_mib=800))
    changes = world.round().plan.changes
    assert changes
    assert all(change.target_bytes < 480 * MIB for change in changes)


def test_behind_the_guard_the_same_baseline_does_not() -> None:
    guests = [Guest(name=n, max_mib=1024, actual_mib=480, used_mib=478) for n in "ab"]
    world = World(guests=guests, params=as_peer(PolicyName.SHARES, guarded=True, budget_mib=800))
    for _ in range(30):
        for change in world.round().plan.changes:
            assert change.target_bytes > 480 * MIB


@pytest.mark.parametrize("policy", BASELINES)
def test_every_baseline_runs_while_guests_come_and_go(policy: PolicyName) -> None:
    world = World(
        guests=[Guest(name="a", used_mib=100), Guest(name="b", used_mib=300, cache_mib=50)],
        params=as_peer(policy, guarded=False),
    )
    world.rounds(12)
    world.guests.append(Guest(name="0", actual_mib=300, used_mib=299, has_statistics=False))
    world.rounds(12)
    del world.guests[0]
    world.rounds(25)
    assert all(0 < (guest.actual_mib or 0) <= guest.max_mib for guest in world.guests)


def test_the_clairvoyant_follows_what_it_is_told() -> None:
    told = {"a": (400 * MIB, 400 * MIB), "b": (150 * MIB, 150 * MIB), "c": (150 * MIB, 150 * MIB)}
    world = World(
        guests=[Guest(name=name, actual_mib=300, used_mib=100) for name in "abc"],
        params=replace(as_peer(PolicyName.CLAIRVOYANT, guarded=False), known_demands=told),
    )
    world.rounds(5)
    assert (world.guest("a").actual_mib or 0) >= 400
    assert world.trace("a").reason in {Reason.HELD_FIXED, Reason.HOLD_HAS_ENOUGH}
