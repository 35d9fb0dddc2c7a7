"""Runs told spell by spell, and hosts of a declared size: the same run, seen closer."""

from dataclasses import replace

import numpy as np
import pytest

from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.run import run_policy, run_spells
from aerostat.sim.fleet.world import fleet_of
from aerostat.units import GIB
from sim.fleet.fleet_worlds import world

DEMAND = [[2.0, 2.0, 1.0, 1.0], [6.0, 1.0, 7.0, 7.0], [1.0, 6.0, 1.0, 1.0]]


@pytest.mark.parametrize("policy", [PolicyName.ADAPTIVE, PolicyName.STATIC, PolicyName.SHARES])
@pytest.mark.parametrize("spell_ticks", [7, 30, 1000])
def test_spells_add_up_to_the_run(policy: PolicyName, spell_ticks: int) -> None:
    w = world(DEMAND, guests_a_host=2)
    spells = list(run_spells(w, policy, spell_ticks=spell_ticks, is_compiled=False))
    assert len(spells) == -(-w.ticks // spell_ticks)
    parts = run_policy(w, policy, is_compiled=False).parts
    short = np.concatenate([part.guests.short_byte_s for part in parts])
    assert sum(spell.short_byte_s for spell in spells) == pytest.approx(short)
    below = np.concatenate([part.hosts.below_reserve_s for part in parts])
    assert sum(spell.below_reserve_s for spell in spells) == pytest.approx(below)


def test_a_spell_shows_when_memory_was_short() -> None:
    w = world([[1.0, 1.0], [7.0, 7.0], [1.0, 1.0]])
    spells = list(run_spells(w, PolicyName.ADAPTIVE, spell_ticks=30, is_compiled=False))
    short = [float(spell.short_byte_s.sum()) for spell in spells]
    assert short[0] == 0
    assert short[1] > 100 * GIB
    assert short[1] > 10 * short[2]


def test_a_declared_supply_is_what_the_host_has() -> None:
    w = replace(world(DEMAND, guests_a_host=2), supply_bytes=np.array([5 * GIB, 12 * GIB]))
    fleet = fleet_of(w)
    assert list(fleet.hosts.supply_bytes) == [5 * GIB, 12 * GIB]
    held = fleet.guests.actual_bytes
    assert [sum(held[:2]), sum(held[2:])] == [5 * GIB, 12 * GIB]
    assert list(fleet_of(w.host(1)).hosts.supply_bytes) == [12 * GIB]


def test_declared_mins_and_weights_are_the_guests_own() -> None:
    w = replace(
        world([[1.0, 1.0]], overcommit=4.0),
        min_bytes=np.array([GIB, 2 * GIB]),
        weight=np.array([100, 300]),
    )
    guests = fleet_of(w).guests
    assert list(guests.min_bytes) == [GIB, 2 * GIB]
    assert guests.actual_bytes[1] > guests.actual_bytes[0]
    assert list(fleet_of(w.host(0)).guests.weight) == [100, 300]


def test_declared_figures_must_be_one_each() -> None:
    with pytest.raises(AssertionError, match="3 figures for 4"):
        replace(world(DEMAND, guests_a_host=2), weight=np.array([1, 2, 3]))
