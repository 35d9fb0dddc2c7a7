"""Settings follow the VM: renamed, rebooted, re-created and migrated VMs are told apart."""

from dataclasses import replace

import pytest

from aerostat.engine.figures import resolve_limits
from aerostat.engine.params import EngineParams
from aerostat.model.events import LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.limits import DeclaredLimits, GuestLimits, LimitRule
from aerostat.model.reasons import Reason
from aerostat.units import GIB, MIB
from builders import Guest, World, params

UUID = "0c5b6ecd-3d3c-4f4e-9d2c-0d6f9f4b8a11"
VM = GuestSnapshot(
    guest=GuestId(UUID), name="web", number="101", run_state=RunState.RUNNING, max_bytes=GIB
)
RENAMED = replace(VM, name="shop")
RECREATED = replace(VM, guest=GuestId(UUID.replace("0c5b", "77aa")), number="102")


def weight_of(vm: GuestSnapshot, *names: str) -> int:
    rules = tuple(
        LimitRule(name_glob=name, limits=GuestLimits(weight=200 + number))
        for number, name in enumerate(names)
    )
    return resolve_limits(vm, GIB, EngineParams(rules=rules)).weight


@pytest.mark.parametrize(
    ("rule", "vm", "follows"),
    [
        (UUID, RENAMED, True),
        ("101", RENAMED, True),
        ("web", RENAMED, False),
        ("web", RECREATED, True),  # a rule by name is for whoever has the name
        (UUID, RECREATED, False),
        ("101", RECREATED, False),
        ("10?", VM, False),  # a glob is of names: numbers are as they are
    ],
)
def test_a_rule_follows_what_it_names(rule: str, vm: GuestSnapshot, follows: bool) -> None:
    assert (weight_of(vm, rule) == 200) is follows


def test_the_first_rule_holds_whatever_it_goes_by() -> None:
    assert weight_of(VM, "101", UUID, "web") == 200
    assert weight_of(VM, "db-*", UUID, "101") == 201


def test_what_is_declared_at_the_vm_goes_with_it() -> None:
    declared = DeclaredLimits(weight=7)
    assert weight_of(replace(RENAMED, declared=declared), "shop") == 7


def balanced() -> World:
    """One that was asked for memory, so that much is known of it."""
    guests = [
        Guest(name="vm", actual_mib=400, used_mib=100),
        Guest(name="short", actual_mib=200, used_mib=198),
    ]
    world = World(guests=guests, params=params(budget_mib=602, grace_s=20.0))
    world.rounds(90)
    assert (world.guest("vm").actual_mib or 0) < 400
    return world


def test_a_vm_that_rebooted_keeps_its_identity_and_its_target_and_nothing_else() -> None:
    world = balanced()
    world.events.append(LifecycleChanged(guest=GuestId("vm"), kind=LifecycleKind.RESET))
    world.round()
    assert world.trace("vm").reason is Reason.RELEASED_ON_RESET
    assert world.trace("vm").target_before_bytes is not None
    assert world.trace("vm").swap_out_bytes_per_s is None, "counters begin anew"


def test_a_vm_that_was_recreated_under_its_name_is_another_one() -> None:
    """Another id: nothing that was learned of the first is held against it."""
    world = balanced()
    world.guests[0] = Guest(name="vm-2", max_mib=1024, actual_mib=300, used_mib=50)
    world.round()
    trace = world.trace("vm-2")
    assert trace.target_before_bytes is None
    assert trace.max_bytes == 1024 * MIB
    world.rounds(5)
    assert world.guest("vm-2").actual_mib == 300, "its grace counts from its own start"
    assert world.trace("vm-2").reason in (Reason.HOLD_IN_GRACE, Reason.HOLD_HAS_ENOUGH)


def test_a_vm_that_migrates_away_is_left_alone_and_one_that_came_is_new() -> None:
    world = balanced()
    held = world.guest("vm").actual_mib
    world.guest("vm").run_state = RunState.MIGRATING
    world.guest("short").used_mib = 260
    world.rounds(10)
    assert world.guest("vm").actual_mib == held
    assert world.trace("vm").reason is Reason.HOLD_MIGRATING
    moved = world.guests.pop(0)
    world.rounds(2)
    other = World(guests=[Guest(name="other", used_mib=300)], params=params(grace_s=20.0))
    other.rounds(40)
    moved.run_state = RunState.RUNNING
    other.guests.append(moved)
    other.round()
    assert other.trace("vm").target_before_bytes is None, "what is found is where it starts"
    other.rounds(5)
    assert (other.guest("vm").actual_mib or 0) >= (held or 0), "nothing is taken in its grace"
