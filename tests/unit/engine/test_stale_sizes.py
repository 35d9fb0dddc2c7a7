"""After a reset QEMU tells the old size until the balloon moves; that must not last for ever."""

from aerostat.model.events import LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.model.plan import TargetChange
from aerostat.model.reasons import Reason
from aerostat.units import MIB
from builders import Guest, World, params

MAX = 512 * MIB


def reset_world() -> World:
    """A squeezed guest that is reset; its fresh kernel has all its memory, and nobody says so."""
    world = World(guests=[Guest(name="a", actual_mib=300, used_mib=150)], obeys=False)
    world.params = params(budget_mib=2000)
    world.rounds(2)
    kind = LifecycleKind.RESET
    world.events.append(LifecycleChanged(guest=GuestId("a"), kind=kind))
    return world


def orders(world: World, rounds: int) -> list[TargetChange]:
    return [change for _ in range(rounds) for change in world.round().plan.changes]


def test_a_released_balloon_that_shows_an_old_size_is_nudged_once() -> None:
    world = reset_world()
    nudges = [c for c in orders(world, 400) if c.reason is Reason.NUDGED_AT_MAX]
    assert [nudge.target_bytes for nudge in nudges] == [MAX - MIB]


def test_one_that_tells_its_size_after_it_is_balanced_as_any_other() -> None:
    world = reset_world()
    while not any(c.reason is Reason.NUDGED_AT_MAX for c in world.round().plan.changes):
        assert world.now_s < 5000.0, "no nudge"
    world.guest("a").actual_mib = 511
    world.obeys = True
    world.rounds(5)
    assert not world.trace("a").is_stalled
    world.params = params(budget_mib=300)
    world.rounds(60)
    assert (world.guest("a").actual_mib or 0) < 400
