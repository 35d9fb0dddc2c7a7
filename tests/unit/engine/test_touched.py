"""What the host saw a guest touch counts where its own word is absent or not to be believed."""

from dataclasses import replace

import pytest

from aerostat.engine.backing import backing_of
from aerostat.engine.ladder_state import LadderState, Technique
from aerostat.engine.params import Accounting, EngineParams
from aerostat.engine.state import EngineState
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import HostState, LadderStep
from aerostat.units import GIB, MIB
from builders import Guest, World, host_memory, params

ROUNDS = 40
PLENTY = host_memory(total_gib=16, available_gib=12)


def silent(**changed: object) -> Guest:
    """Its driver moves the balloon and tells nothing."""
    told: dict[str, object] = {
        "name": "silent",
        "max_mib": 1024,
        "actual_mib": 400,
        "has_statistics": False,
        "held_mib": 420.0,
    }
    return Guest(**{**told, **changed})  # type: ignore[arg-type]


def after(guest: Guest, own: EngineParams | None = None) -> int:
    """What it has in the end."""
    world = World(guests=[guest], params=own or params(budget_mib=None), memory=PLENTY)
    for _ in range(ROUNDS):
        world.round()
        assert (guest.actual_mib or 0) >= 400, "nothing is taken on the host's word alone"
    return guest.actual_mib or 0


def test_one_that_touches_all_it_has_is_given_more() -> None:
    assert after(silent(touched_mib=460)) > 400


@pytest.mark.parametrize("touched_mib", [None, 0, 60, 200])
def test_one_that_touches_little_keeps_what_it_has(touched_mib: int | None) -> None:
    assert after(silent(touched_mib=touched_mib)) == 400


def test_it_is_given_no_more_than_its_max() -> None:
    assert after(silent(max_mib=512, touched_mib=4000)) == 512


def test_one_that_holds_more_than_it_says_is_given_by_what_it_touches() -> None:
    doubted = silent(has_statistics=True, used_mib=100, held_mib=900.0, touched_mib=850)
    assert after(doubted) > 400


def test_its_own_word_counts_where_it_is_believed() -> None:
    believed = silent(has_statistics=True, used_mib=100, touched_mib=4000)
    world = World(guests=[believed], params=params(budget_mib=None), memory=PLENTY)
    world.rounds(ROUNDS)
    plain = silent(has_statistics=True, used_mib=100)
    other = World(guests=[plain], params=params(budget_mib=None), memory=PLENTY)
    other.rounds(ROUNDS)
    assert believed.actual_mib == plain.actual_mib


@pytest.mark.parametrize(("touched_mib", "less_mib"), [(None, 0), (700, 700)])
def test_what_is_touched_is_not_counted_as_what_could_be_paged_out(
    touched_mib: int | None, less_mib: int
) -> None:
    base = params(budget_mib=None)
    own = replace(
        base,
        host=replace(base.host, accounting=Accounting.ELASTIC),
        ladder=replace(base.ladder, soft=(LadderStep.SWAP,)),
    )
    memory = replace(PLENTY, swap_total_bytes=8 * GIB, swap_free_bytes=8 * GIB)
    guest = silent(held_mib=1000.0, touched_mib=touched_mib).snapshot(1.0)
    snapshot = HostSnapshot(now_s=1.0, wall_s=1.0, memory=memory, guests=(guest,))
    on = LadderState().with_technique(Technique(step=LadderStep.SWAP, is_on=True))
    state = replace(EngineState(), host_state=HostState.SOFT, ladder=on)
    least_mib = own.guard.guest_floor_bytes // MIB
    least_mib = max(least_mib, own.default_limits.minimum.of(1024 * MIB) // MIB)
    expected = (1000 - max(least_mib, less_mib)) * MIB // 2
    assert backing_of(state, snapshot, own) == expected
