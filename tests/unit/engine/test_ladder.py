"""The ladder: what each state of the host may use, and whose memory the host takes itself."""

from dataclasses import replace
from itertools import pairwise

import pytest

from aerostat.engine.params import EngineParams, HostParams, LadderParams
from aerostat.model.events import HOST_ITSELF, TechniqueAct, TechniqueUsed
from aerostat.model.guest import GuestId
from aerostat.model.host import HostMemory
from aerostat.model.host_state import DECLARABLE_STEPS, HostState, LadderStep
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.model.reasons import Reason
from aerostat.model.techniques import TechniqueOrders
from aerostat.units import GIB, MIB
from builders import Guest, World, host_memory

BALLOONS = (LadderStep.REPORTING, LadderStep.TAKE_FREE, LadderStep.TAKE_BY_WEIGHT)
ALL = DECLARABLE_STEPS
RESERVE_MIB = 1024  # of 10 GiB


def ladder(*steps: LadderStep, **changed: object) -> LadderParams:
    """These steps in every state but the comfortable one."""
    base = LadderParams(soft=steps, hard=steps, critical=steps)
    return replace(base, **changed)  # type: ignore[arg-type] # real fields


def params(ladder: LadderParams | None = None, **limits: GuestLimits) -> EngineParams:
    return EngineParams(
        host=HostParams(reserve=Amount(size_bytes=RESERVE_MIB * MIB)),
        ladder=LadderParams() if ladder is None else ladder,
        rules=tuple(LimitRule(name_glob=name, limits=own) for name, own in limits.items()),
    )


def memory(available_mib: int, *, swapped_mib: int = 0) -> HostMemory:
    return replace(
        host_memory(total_gib=10, available_gib=available_mib / 1024),
        swap_total_bytes=8 * GIB,
        swap_free_bytes=8 * GIB - swapped_mib * MIB,
    )


def dumb(name: str = "dumb", **changed: object) -> Guest:
    """It has no balloon, and holds a gigabyte."""
    told: dict[str, object] = {
        "name": name,
        "max_mib": 1024,
        "actual_mib": 1024,
        "has_balloon": False,
        "has_statistics": False,
        "held_mib": 1000.0,
        "host_swap_mib": 0.0,
        "host_swap_in_mib": 0.0,
    }
    return Guest(**{**told, **changed})  # type: ignore[arg-type]


def tight(available_mib: int = 700, *, guests: list[Guest], params: EngineParams) -> World:
    return World(guests=guests, memory=memory(available_mib), params=params)


def orders(world: World) -> TechniqueOrders:
    assert world.last is not None
    return world.last.orders


def carried_out(world: World) -> TechniqueOrders:
    """Answer what was ordered as a host would that can do it all."""
    done = orders(world)
    acts = [(step, TechniqueAct.SWITCHED_ON) for step in done.switch_on]
    acts += [(step, TechniqueAct.PUT_BACK) for step in done.put_back]
    world.events += [TechniqueUsed(guest=HOST_ITSELF, step=step, act=act) for step, act in acts]
    world.events += [
        TechniqueUsed(
            guest=take.guest,
            step=take.step,
            act=TechniqueAct.TOOK,
            asked_bytes=take.size_bytes,
            taken_bytes=take.size_bytes,
            took_s=0.1,
        )
        for take in done.takes
    ]
    return done


def takes(world: World, rounds: int) -> dict[str, int]:
    """Bytes that the host took of each guest in so many rounds, a second apart."""
    taken: dict[str, int] = {}
    for _ in range(rounds):
        world.round()
        for take in carried_out(world).takes:
            taken[take.guest] = taken.get(take.guest, 0) + take.size_bytes
    return taken


@pytest.mark.parametrize("available_mib", [4096, 700, 400, 100])
def test_by_default_nothing_but_balloons_is_used(available_mib: int) -> None:
    world = tight(available_mib, guests=[dumb()], params=params())
    for _ in range(10):
        world.round()
        assert not orders(world)
    assert world.last is not None
    assert not set(world.last.trace.host.allowed) & {
        LadderStep.MERGE,
        LadderStep.COMPRESS,
        LadderStep.SWAP,
    }


def test_a_state_allows_what_it_names_and_what_follows_from_it() -> None:
    world = tight(100, guests=[dumb()], params=params(ladder(LadderStep.SWAP)))
    world.round()
    assert world.last is not None
    assert world.last.trace.host.state is HostState.CRITICAL
    assert world.last.trace.host.allowed == (LadderStep.SWAP, LadderStep.GIVE_TO_DISTRESS_ONLY)


def test_a_guest_without_a_balloon_is_served_by_the_host() -> None:
    world = tight(guests=[dumb()], params=params(ladder(*ALL)))
    world.round()
    assert set(orders(world).switch_on) == {LadderStep.MERGE, LadderStep.COMPRESS, LadderStep.SWAP}
    assert not orders(world).takes, "what is not on yet takes nothing"
    carried_out(world)
    taken = takes(world, 5)
    assert taken["dumb"] >= 64 * MIB
    assert world.last is not None
    assert world.last.trace.host.in_use == (LadderStep.MERGE, LadderStep.COMPRESS, LadderStep.SWAP)


def test_compression_comes_before_swap() -> None:
    world = tight(guests=[dumb()], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    steps = set()
    for _ in range(5):
        world.round()
        steps |= {take.step for take in carried_out(world).takes}
    assert steps == {LadderStep.COMPRESS}


def test_a_guest_without_a_balloon_is_taken_from_before_one_that_balloons_serve() -> None:
    served = Guest(name="served", max_mib=2048, actual_mib=1800, used_mib=1750, held_mib=1800.0)
    world = tight(guests=[served, dumb()], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    first: list[str] = []
    for _ in range(5):
        world.round()
        first += [take.guest for take in carried_out(world).takes[:1]]
    assert first
    assert set(first) == {"dumb"}


def test_balloons_that_close_the_gap_are_waited_for() -> None:
    """A guest with plenty free is asked for it: the host takes nothing meanwhile."""
    free = Guest(name="free", max_mib=4096, actual_mib=4096, used_mib=300, held_mib=4100.0)
    world = tight(4096, guests=[free, dumb()], params=params(ladder(*ALL, comfortable=ALL)))
    world.round()
    carried_out(world)
    world.rounds(15)
    assert world.guest("free").actual_mib == 4096
    world.memory = memory(700)
    world.obeys = False  # still on its way
    for _ in range(6):
        world.round(elapse_s=0.25)
        assert 0 < (world.trace("free").target_bytes or 0) < 4000 * MIB
        assert not orders(world).takes


def test_in_the_critical_state_the_host_does_not_wait() -> None:
    world = tight(100, guests=[dumb()], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    world.round()
    assert orders(world).takes


def test_in_the_critical_state_it_waits_for_what_moves_and_not_for_long() -> None:
    free = Guest(name="free", max_mib=4096, actual_mib=4096, used_mib=300, held_mib=4100.0)
    world = tight(4096, guests=[free, dumb()], params=params(ladder(*ALL, comfortable=ALL)))
    world.round()
    carried_out(world)
    world.rounds(15)
    world.memory = memory(100)
    world.obeys = False  # its balloon takes its time
    world.round(elapse_s=0.25)
    assert world.last is not None
    assert world.last.trace.host.state is HostState.CRITICAL
    assert (world.trace("free").target_bytes or 0) < 4000 * MIB
    assert not orders(world).takes
    for _ in range(2):
        world.round(elapse_s=0.25)
    assert orders(world).takes


def test_no_guest_is_taken_below_its_min() -> None:
    limits = GuestLimits(minimum=Amount(size_bytes=900 * MIB))
    world = tight(100, guests=[dumb()], params=params(ladder(*ALL), dumb=limits))
    guest = world.guest("dumb")
    for _ in range(30):
        world.round()
        for take in carried_out(world).takes:
            guest.held_mib = (guest.held_mib or 0) - take.size_bytes / MIB
    assert (guest.held_mib or 0) == pytest.approx(900, abs=8)


def test_what_the_host_is_short_of_is_taken_and_no_more() -> None:
    world = tight(RESERVE_MIB - 40, guests=[dumb()], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    for _ in range(10):
        world.round()
        done = carried_out(world)
        if done.takes:
            assert sum(take.size_bytes for take in done.takes) <= 41 * MIB
            world.memory = memory(RESERVE_MIB)
    world.round()
    assert not orders(world).takes


@pytest.mark.parametrize(
    "limits",
    [
        GuestLimits(exempt=frozenset({LadderStep.COMPRESS, LadderStep.SWAP})),
        GuestLimits(is_managed=False),
    ],
)
def test_who_is_exempt_is_spared(limits: GuestLimits) -> None:
    world = tight(guests=[dumb("dear"), dumb()], params=params(ladder(*ALL), dear=limits))
    world.round()
    spared = orders(world).spared
    assert [one.name for one in spared] == ["dear"]
    assert {LadderStep.COMPRESS, LadderStep.SWAP} <= set(spared[0].steps)
    carried_out(world)
    assert takes(world, 12).keys() == {"dumb"}


def test_one_that_is_to_be_spared_and_comes_later_is_left_out_then() -> None:
    limits = GuestLimits(exempt=frozenset({LadderStep.SWAP}))
    world = tight(guests=[dumb()], params=params(ladder(LadderStep.SWAP), late=limits))
    world.round()
    carried_out(world)
    takes(world, 3)
    world.guests.append(dumb("late"))
    world.round()
    assert orders(world).switch_on == (LadderStep.SWAP,)
    assert [one.name for one in orders(world).spared] == ["late"]


@pytest.mark.parametrize("has_balloon", [True, False])
def test_locked_memory_is_taken_by_nobody(has_balloon: bool) -> None:
    locked = Guest(
        name="locked",
        max_mib=1024,
        actual_mib=1024,
        used_mib=100,
        has_balloon=has_balloon,
        held_mib=1100.0,
        locked_mib=1024,
    )
    world = tight(guests=[locked], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    assert takes(world, 15) == {}
    assert world.guest("locked").actual_mib == 1024
    if has_balloon:
        assert world.trace("locked").reason is Reason.HOLD_PINNED


def test_without_the_lock_the_same_guest_gives() -> None:
    free = Guest(name="free", max_mib=1024, actual_mib=1024, used_mib=100, held_mib=1100.0)
    world = tight(guests=[free], params=params(ladder(*ALL)))
    world.rounds(15)
    assert (world.guest("free").actual_mib or 0) < 900


def test_a_stuck_balloon_is_served_by_the_host() -> None:
    stuck = Guest(name="stuck", max_mib=2048, actual_mib=2048, used_mib=300, held_mib=2048.0)
    world = tight(guests=[stuck], params=params(ladder(*ALL)))
    world.obeys = False
    assert takes(world, 12)["stuck"] > 0
    assert world.trace("stuck").reason is Reason.STALL_ACCEPTED or world.trace("stuck").is_stalled


def test_without_take_by_weight_only_what_is_free_is_taken() -> None:
    def left(*steps: LadderStep) -> tuple[int, Reason]:
        busy = Guest(name="busy", max_mib=4096, actual_mib=4096, used_mib=3000)
        told = params(ladder(*steps, comfortable=steps))
        told = replace(told, host=replace(told.host, budget_bytes=3050 * MIB))
        world = tight(8000, guests=[busy], params=told)
        world.rounds(40)
        return world.guest("busy").actual_mib or 0, world.trace("busy").reason

    by_weight, _ = left(LadderStep.TAKE_FREE, LadderStep.TAKE_BY_WEIGHT)
    free_only, why = left(LadderStep.TAKE_FREE)
    nothing, why_not = left()
    assert by_weight < 3200 < free_only < 4096
    assert why is Reason.HOLD_LEFT_TO_HOST
    assert nothing == 4096
    assert why_not is Reason.HOLD_LEFT_TO_HOST


def test_one_guest_may_be_spared_by_balloons_alone() -> None:
    def guest(name: str) -> Guest:
        return Guest(name=name, max_mib=2048, actual_mib=2048, used_mib=500, held_mib=2100.0)

    limits = GuestLimits(exempt=frozenset({LadderStep.TAKE_FREE}))
    world = tight(guests=[guest("dear"), guest("other")], params=params(dear=limits))
    world.rounds(10)
    assert world.guest("dear").actual_mib == 2048
    assert (world.guest("other").actual_mib or 0) < 1900


def test_who_reads_back_what_was_taken_is_left_alone_longer_every_time() -> None:
    world = tight(guests=[dumb()], params=params(ladder(*ALL)))
    guest = world.guest("dumb")
    world.round()
    carried_out(world)
    at: list[float] = []
    for _ in range(200):
        world.round()
        if carried_out(world).takes:
            at.append(world.now_s)
        if at and world.now_s - at[-1] < 3:
            guest.host_swap_mib = 200.0
            guest.host_swap_in_mib = (guest.host_swap_in_mib or 0) + 30
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert pauses[0] >= 30
    assert pauses[1] >= 60


def test_a_take_that_brings_nothing_is_not_repeated_at_once() -> None:
    world = tight(guests=[dumb()], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    count = 0
    for _ in range(25):
        world.round()
        for take in orders(world).takes:
            count += 1
            world.events.append(
                TechniqueUsed(
                    guest=take.guest,
                    step=take.step,
                    act=TechniqueAct.TOOK,
                    asked_bytes=take.size_bytes,
                    taken_bytes=MIB,
                )
            )
    assert count == 1


def test_what_cannot_be_switched_on_is_tried_again_later_and_takes_nothing() -> None:
    world = tight(guests=[dumb()], params=params(ladder(LadderStep.SWAP)))
    asked: list[float] = []
    for _ in range(100):
        world.round()
        assert not orders(world).takes
        for step in orders(world).switch_on:
            asked.append(world.now_s)
            world.events.append(
                TechniqueUsed(guest=HOST_ITSELF, step=step, act=TechniqueAct.FAILED, detail="no")
            )
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 60


def test_what_no_state_asks_for_is_put_back_once_the_host_has_room_for_it() -> None:
    world = tight(guests=[dumb()], params=params(ladder(LadderStep.SWAP, put_back_s=20.0)))
    world.round()
    carried_out(world)
    world.memory = memory(1800, swapped_mib=800)
    for _ in range(30):
        world.round()
        assert not carried_out(world).put_back, "it would bring 800 MiB back"
    world.memory = memory(4096, swapped_mib=800)
    world.round()
    assert carried_out(world).put_back == (LadderStep.SWAP,)
    world.round()
    assert world.last is not None
    assert world.last.trace.host.in_use == ()


def test_nothing_is_ordered_of_a_host_that_cannot_be_read() -> None:
    world = tight(guests=[dumb()], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    world.memory = None
    for _ in range(5):
        world.round()
        assert not orders(world)


def test_only_one_batch_is_under_way() -> None:
    world = tight(100, guests=[dumb(f"vm{n}") for n in range(6)], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    world.round()
    batch = orders(world).takes
    assert sum(take.size_bytes for take in batch) == 256 * MIB
    assert len({take.guest for take in batch}) == 4
    world.round()
    assert not orders(world), "no answer has come yet"


def test_a_take_of_a_guest_that_went_away_is_no_trouble() -> None:
    world = tight(100, guests=[dumb(), dumb("gone")], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    world.round()
    world.guests = [guest for guest in world.guests if guest.name != "gone"]
    for take in orders(world).takes:
        world.events.append(
            TechniqueUsed(guest=take.guest, step=take.step, act=TechniqueAct.FAILED, detail="gone")
        )
    world.round()
    assert all(tried.guest != GuestId("gone") for tried in world.state.ladder.tried)


def test_what_a_vm_touched_of_late_is_not_taken_by_the_host() -> None:
    swap = params(ladder(LadderStep.SWAP))
    busy = tight(100, guests=[dumb(touched_mib=995)], params=swap)
    idle = tight(100, guests=[dumb(touched_mib=300)], params=swap)
    assert takes(busy, 10) == {}
    assert takes(idle, 10)


def test_what_a_vm_did_not_touch_frees_nothing_below_its_min() -> None:
    swap = params(ladder(LadderStep.SWAP), dumb=GuestLimits(minimum=Amount(max_ratio=1.0)))
    assert takes(tight(100, guests=[dumb(touched_mib=0)], params=swap), 10) == {}


def split_takes(world: World) -> list[int]:
    return [t.size_bytes // MIB for t in orders(world).takes if t.step is LadderStep.SPLIT]


def test_huge_pages_given_in_part_are_split_where_the_ladder_says_so() -> None:
    guest = Guest(name="g", used_mib=300, held_mib=580.0, unsplit_mib=180)
    world = tight(4096, guests=[guest], params=params(ladder(comfortable=(LadderStep.SPLIT,))))
    world.round()
    assert split_takes(world) == [180]
    assert not orders(world).switch_on, "nothing has to be made ready for it"


@pytest.mark.parametrize("unsplit_mib", [None, 0, 15])
def test_a_few_huge_pages_in_part_are_left_as_they_are(unsplit_mib: int | None) -> None:
    guest = Guest(name="g", held_mib=580.0, unsplit_mib=unsplit_mib)
    world = tight(4096, guests=[guest], params=params(ladder(comfortable=(LadderStep.SPLIT,))))
    assert takes(world, 3) == {}


def test_by_default_none_are_split() -> None:
    world = tight(100, guests=[Guest(name="g", held_mib=580.0, unsplit_mib=300)], params=params())
    world.round()
    assert not orders(world)


def test_who_is_exempt_keeps_its_huge_pages() -> None:
    guests = [Guest(name=name, held_mib=580.0, unsplit_mib=180) for name in ("dear", "other")]
    limits = GuestLimits(exempt=frozenset({LadderStep.SPLIT}))
    told = params(ladder(comfortable=(LadderStep.SPLIT,)), dear=limits)
    assert takes(tight(4096, guests=guests, params=told), 3).keys() == {"other"}


def test_what_splitting_brings_is_not_taken_as_well() -> None:
    """180 MiB of the 300 that the host lacks are as good as there."""
    hidden = Guest(name="g", has_balloon=False, held_mib=1000.0, max_mib=1024, unsplit_mib=180)
    world = tight(RESERVE_MIB - 300, guests=[hidden, dumb()], params=params(ladder(*ALL)))
    world.round()
    carried_out(world)
    world.round()
    carried_out(world)
    world.round(elapse_s=3.0)
    by_step: dict[LadderStep, int] = {}
    for take in orders(world).takes:
        by_step[take.step] = by_step.get(take.step, 0) + take.size_bytes
    assert by_step[LadderStep.SPLIT] == 180 * MIB
    assert by_step[LadderStep.COMPRESS] <= 120 * MIB


def test_a_split_that_brings_nothing_is_tried_again_later_every_time() -> None:
    guest = Guest(name="g", held_mib=580.0, unsplit_mib=180)
    world = tight(4096, guests=[guest], params=params(ladder(comfortable=(LadderStep.SPLIT,))))
    at = []
    for _ in range(150):
        world.round()
        for take in orders(world).takes:
            at.append(world.now_s)
            world.events.append(
                TechniqueUsed(
                    guest=take.guest,
                    step=take.step,
                    act=TechniqueAct.TOOK,
                    asked_bytes=take.size_bytes,
                    taken_bytes=0,
                )
            )
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 30
    assert pauses[1] >= 60


def test_once_nothing_is_on_its_way_the_host_does_not_wait() -> None:
    """A gap that stands for a second round, a quarter of a second later, is taken."""
    world = tight(guests=[dumb()], params=params(ladder(*ALL)))
    world.memory = memory(4096)
    world.round()
    world.params = params(ladder(*ALL, comfortable=ALL))
    world.round()
    carried_out(world)
    world.memory = memory(700)
    first = world.round(elapse_s=0.25)
    assert not first.orders.takes
    assert first.plan.next_round_s <= world.params.round_moving_s
    assert world.round(elapse_s=0.25).orders.takes


def test_a_host_that_lives_on_what_merging_saves_takes_as_if_it_were_not_there() -> None:
    world = tight(3000, guests=[dumb()], params=params(ladder(LadderStep.COMPRESS)))
    assert world.memory is not None
    for _ in range(6):
        world.round()
        assert not carried_out(world).takes, "three times its reserve is available"
    world.memory = replace(world.memory, revocable_bytes=2500 * MIB)
    taken = False
    for _ in range(8):
        world.round()
        taken = taken or bool(carried_out(world).takes)
    assert taken


def test_swap_is_not_put_back_into_room_that_merging_made() -> None:
    own = params(ladder(LadderStep.COMPRESS, put_back_s=1.0))
    world = tight(700, guests=[dumb()], params=own)
    for _ in range(5):
        world.round()
        carried_out(world)
    assert LadderStep.COMPRESS in world.state.ladder.in_use
    merging = replace(memory(5000, swapped_mib=400), revocable_bytes=3500 * MIB)
    world.memory = merging
    for _ in range(20):
        world.round()
        assert not carried_out(world).put_back
    world.memory = replace(merging, revocable_bytes=0)
    put_back = False
    for _ in range(20):
        world.round()
        put_back = put_back or bool(carried_out(world).put_back)
    assert put_back


def test_of_two_alike_the_one_known_to_be_cold_is_taken_from_first() -> None:
    guests = [dumb("a"), dumb("b", touched_mib=300)]
    world = tight(guests=guests, params=params(ladder(LadderStep.COMPRESS)))
    for _ in range(8):
        world.round()
        if takes := carried_out(world).takes:
            assert takes[0].guest == GuestId("b")
            return
    raise AssertionError("nothing was taken")
