"""A guest that was asked to shut down gets its memory back first, and is left alone meanwhile."""

from dataclasses import replace

from aerostat.engine.params import GuardParams, HostParams
from aerostat.model.events import LifecycleChanged, LifecycleKind, Outcome, TargetAnswered
from aerostat.model.guest import GuestId
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.model.reasons import Bound, Reason
from aerostat.units import MIB
from builders import Guest, World, host_memory, params

SHUTDOWN_S = 60.0


def world(*, available_mib: int = 48 * 1024, budget_mib: int = 900) -> World:
    """Three calm guests of 512 MiB at 300 each, on a host that keeps 200 MiB, 100 come what may."""
    asked = params(guard=GuardParams(grace_s=0.0, shutdown_s=SHUTDOWN_S))
    own = HostParams(
        budget_bytes=budget_mib * MIB,
        reserve=Amount(size_bytes=200 * MIB),
        burst_reserve=Amount(size_bytes=0),
    )
    found = World(
        guests=[Guest(name=name, actual_mib=300, used_mib=150) for name in "abc"],
        params=replace(asked, host=own),
        memory=host_memory(available_gib=available_mib / 1024),
    )
    found.rounds(4)
    return found


def ask(found: World, name: str, kind: LifecycleKind = LifecycleKind.SHUTDOWN_ASKED) -> None:
    found.events.append(LifecycleChanged(guest=GuestId(name), kind=kind))


def targets_mib(found: World) -> dict[str, int]:
    assert found.last is not None
    return {str(c.guest): c.target_bytes // MIB for c in found.last.plan.changes}


def test_it_is_released_in_one_command_beyond_the_budget_and_nobody_gives_for_it() -> None:
    found = world()
    ask(found, "a")
    (change,) = found.round().plan.changes
    assert change.target_bytes == 512 * MIB
    assert change.reason is Reason.RELEASED_FOR_SHUTDOWN
    assert change.is_urgent
    for _ in range(20):
        assert found.round().plan.changes == ()
    assert found.trace("a").reason is Reason.RELEASED_FOR_SHUTDOWN


def test_what_it_was_lent_is_given_to_nobody_else() -> None:
    found = world()
    ask(found, "a")
    found.rounds(2)
    found.guest("b").used_mib = 290  # wants more: there is nothing but what others have free
    found.rounds(10)
    assert found.trace("a").target_bytes == 512 * MIB
    held = sum(found.guest(name).actual_mib or 0 for name in "bc")
    assert held <= 600


def test_a_host_that_has_less_lends_less() -> None:
    found = world(available_mib=250)
    ask(found, "a")
    found.round()
    assert targets_mib(found) == {"a": 450}
    assert found.trace("a").bound is Bound.SUPPLY


def test_two_are_not_lent_the_same_memory() -> None:
    """What was lent and not touched yet still looks available on the host."""
    found = world(available_mib=250)
    ask(found, "a")
    found.round()
    ask(found, "b")
    found.rounds(3)
    assert found.guest("a").actual_mib == 450
    assert found.guest("b").actual_mib == 300
    assert found.trace("b").reason is Reason.HOLD_WAITING_FOR_MEMORY


def test_what_the_host_lends_it_does_not_give_to_others_as_well() -> None:
    """In one round: both would have to be backed by the same memory."""
    found = world(available_mib=250, budget_mib=1100)
    ask(found, "a")
    found.guest("b").used_mib = 285  # it lacks headroom, and 50 MiB of the supply are free
    found.round()
    assert targets_mib(found)["a"] == 450
    assert "b" not in targets_mib(found)


def test_guests_in_distress_come_first() -> None:
    """The loan is what the host has beyond what they are given."""
    found = world(available_mib=300, budget_mib=1000)
    found.guest("b").actual_mib, found.guest("b").used_mib = 300, 299
    ask(found, "a")
    found.round()
    assert found.trace("b").is_distressed
    targets = targets_mib(found)
    assert (targets["a"], targets["b"]) == (400, 400)


def test_a_stalled_balloon_is_asked_all_the_same() -> None:
    found = world()
    found.obeys = False
    found.params = replace(found.params, host=replace(found.params.host, budget_bytes=700 * MIB))
    found.rounds(8)
    assert found.trace("a").is_stalled or found.trace("a").reason is Reason.STALL_ACCEPTED
    ask(found, "a")
    found.round()
    assert targets_mib(found)["a"] == 512


def test_a_raise_that_was_refused_was_not_lent() -> None:
    found = world()
    ask(found, "a")
    found.round()
    found.guest("a").actual_mib = 300
    found.events = [
        TargetAnswered(guest=GuestId("a"), target_bytes=512 * MIB, outcome=Outcome.REFUSED)
    ]
    found.round()
    assert targets_mib(found)["a"] == 512  # asked again, and the books balance


def test_one_that_is_still_there_is_balanced_again() -> None:
    found = world()
    ask(found, "a")
    found.rounds(int(SHUTDOWN_S))
    assert found.guest("a").actual_mib == 512
    found.rounds(20)
    assert sum(guest.actual_mib or 0 for guest in found.guests) <= 900


def test_asked_again_it_has_its_time_again() -> None:
    found = world()
    ask(found, "a")
    found.rounds(40)
    ask(found, "a")
    found.rounds(40)
    assert found.guest("a").actual_mib == 512


def test_a_reset_ends_it() -> None:
    """It restarted instead: a fresh kernel, and a guest like any other."""
    found = world()
    ask(found, "a")
    found.rounds(3)
    ask(found, "a", LifecycleKind.RESET)
    found.rounds(30)
    # What remains above the budget is not worth a command: less than the dead band.
    assert sum(guest.actual_mib or 0 for guest in found.guests) < 900 + 8


def test_switched_off_the_request_changes_nothing() -> None:
    found = world()
    found.params = replace(found.params, guard=GuardParams(grace_s=0.0, shutdown_s=0.0))
    ask(found, "a")
    for _ in range(5):
        assert found.round().plan.changes == ()


def test_a_guest_that_must_not_be_managed_is_left_alone_here_too() -> None:
    found = world()
    limits = replace(found.params.default_limits, is_managed=False)
    found.params = replace(found.params, default_limits=limits)
    ask(found, "a")
    assert found.round().plan.changes == ()


def test_one_that_holds_more_than_its_max_is_let_go_without_losing_any_of_it() -> None:
    """Somebody else has raised it beyond the operator's max: a release takes nothing back."""
    rule = LimitRule(name_glob="a", limits=GuestLimits(maximum=Amount(size_bytes=512 * MIB)))
    world = World(
        guests=[Guest(name="a", max_mib=1024, actual_mib=300, used_mib=200)],
        params=params(budget_mib=2000, rules=(rule,)),
        obeys=False,
    )
    world.rounds(5)
    world.guest("a").actual_mib = 800
    world.events = [
        TargetAnswered(guest=GuestId("a"), target_bytes=300 * MIB, outcome=Outcome.ACCEPTED),
        LifecycleChanged(guest=GuestId("a"), kind=LifecycleKind.SHUTDOWN_ASKED),
    ]
    world.round()
    assert world.trace("a").target_bytes == 800 * MIB
