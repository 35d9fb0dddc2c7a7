"""What was tried of a guest within its due is kept aside for it, until it shows that it is idle."""

from aerostat.policy.columns import ABSENT
from builders import Guest, World, params

BUDGET_MIB = 900
TRIAL_ROUNDS = 5
"""At one a second, what was tried is kept aside for so many."""


def on_trial() -> World:
    """An idle guest of which a little was just tried, and a busy one in distress beside it."""
    world = World(
        guests=[
            Guest(name="busy", actual_mib=450, used_mib=445),
            Guest(name="idle", actual_mib=450, used_mib=400, swap_out_mib=1),
        ],
        params=params(budget_mib=BUDGET_MIB),
    )
    for _ in range(60):
        one_round(world)
        if world.state.memory.trial_from_bytes[1] != ABSENT:
            return world
    raise AssertionError("nothing was tried")


def one_round(world: World) -> None:
    idle, busy = world.guest("idle"), world.guest("busy")
    idle.used_mib = min(idle.used_mib, (idle.actual_mib or 0) - 10)
    busy.used_mib = (busy.actual_mib or 0) - 5
    busy.major_faults += 500
    world.round()


def held_mib(world: World, name: str) -> int:
    return world.guest(name).actual_mib or 0


def test_what_was_tried_is_given_to_nobody_for_a_while() -> None:
    world = on_trial()
    before = held_mib(world, "busy")
    for _ in range(TRIAL_ROUNDS - 1):
        one_round(world)
        assert held_mib(world, "busy") == before
    one_round(world)
    assert held_mib(world, "busy") > before


def test_a_trial_is_over_once_so_much_lies_free_in_it_that_more_is_taken() -> None:
    """What was tried of it is then given like all else; it is not idle memory in use any more."""
    world = on_trial()
    after_trial = held_mib(world, "idle")
    world.guest("idle").used_mib = 150
    for _ in range(TRIAL_ROUNDS - 2):  # the first figures belong to a balloon that moves
        if held_mib(world, "idle") == after_trial:
            one_round(world)
    assert held_mib(world, "idle") < after_trial - 32
    idle_mib = held_mib(world, "idle")
    one_round(world)
    assert held_mib(world, "busy") == BUDGET_MIB - idle_mib
