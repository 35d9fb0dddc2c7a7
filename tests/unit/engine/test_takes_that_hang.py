"""A take of a VM that hangs is not on its way: what it was to bring is asked of others."""

from aerostat.model.events import Outcome, TargetAnswered
from aerostat.model.guest import GuestId, RunState
from aerostat.units import MIB
from builders import Guest, World, params

BUDGET_MIB = 720


def guest(name: str, *, actual_mib: int, used_mib: int = 82) -> Guest:
    return Guest(name=name, max_mib=256, actual_mib=actual_mib, used_mib=used_mib)


def test_who_waits_does_not_wait_for_a_vm_that_hangs() -> None:
    """As seen on libvirt: what was to come of the one that hung was all that another one needed."""
    ada, bob = guest("ada", actual_mib=184), guest("bob", actual_mib=201)
    cal, dan = guest("cal", actual_mib=143), guest("dan", actual_mib=192)
    world = World(guests=[ada, bob, cal, dan], params=params(budget_mib=BUDGET_MIB), obeys=False)
    world.rounds(5)
    taken = TargetAnswered(guest=GuestId("dan"), target_bytes=137 * MIB, outcome=Outcome.ACCEPTED)
    world.events = [taken]
    dan.run_state, dan.actual_mib, dan.has_statistics = RunState.UNREACHABLE, None, False
    world.obeys = True
    world.round()
    bob.used_mib = 195
    for number in range(20):
        bob.swap_in_mib, bob.swap_out_mib = 20.0 * number, 20.0 * number
        world.round()
    assert (bob.actual_mib or 0) > 240, world.trace("ada")
