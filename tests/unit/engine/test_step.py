"""What the engine decides in plain situations; each test is a rule of DESIGN.md section 2."""

from dataclasses import replace
from itertools import pairwise

from aerostat.engine.params import Accounting, GuardRule
from aerostat.model.events import (
    LifecycleChanged,
    LifecycleKind,
    MemoryReserved,
    Outcome,
    TargetAnswered,
)
from aerostat.model.guest import GuestId, RunState
from aerostat.model.host_state import HostState
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.model.reasons import Bound, Reason
from aerostat.policy.params import PolicyName
from aerostat.units import MIB
from builders import Guest, World, host_memory, params

WARM_ROUNDS = 4


def three(**of_b: object) -> World:
    """Guests a, b, c on 900 MiB, all found at 300 MiB."""
    guests = [Guest(name=name, actual_mib=300, used_mib=150) for name in "abc"]
    guests[1] = replace(guests[1], **of_b)  # type: ignore[arg-type] # a test names real fields
    return World(guests=guests)


def test_nothing_moves_while_everybody_has_enough() -> None:
    world = three()
    for _ in range(10):
        assert world.round().plan.changes == ()


def test_a_guest_in_distress_is_released_in_the_first_round_it_is_seen() -> None:
    """R1: adopted, found starving, released within one round."""
    world = World(guests=[Guest(name="a", actual_mib=200, used_mib=196)], params=params())
    change = world.round().plan.changes[0]
    assert change.target_bytes == 512 * MIB
    assert change.reason is Reason.RELEASED_FOR_DISTRESS
    assert change.is_urgent


def test_distress_is_released_even_while_an_older_target_is_stalled() -> None:
    """R2: never follow ``actual``, never merge with the pending target."""
    world = World(
        guests=[Guest(name="a", used_mib=100)], params=params(budget_mib=300), obeys=False
    )
    world.rounds(WARM_ROUNDS)
    assert world.trace("a").target_bytes == 300 * MIB
    guest = world.guest("a")
    guest.actual_mib, guest.used_mib = 340, 332  # stuck on its way, and short of memory now
    world.params = params(budget_mib=900)
    world.rounds(8)
    assert world.trace("a").target_bytes == 512 * MIB
    world.rounds(10)
    assert world.trace("a").target_bytes == 512 * MIB


def test_swapping_is_distress_although_available_looks_fine() -> None:
    """R6: swapping out raises "available"; a thrashing guest must never look idle."""
    world = three()
    world.rounds(WARM_ROUNDS)
    world.guest("a").swap_out_mib = 50
    world.round()
    assert world.trace("a").is_distressed
    changes = {str(c.guest): c for c in world.round(elapse_s=0.25).plan.changes}
    assert changes["a"].reason is Reason.RELEASED_FOR_DISTRESS


def test_a_cache_heavy_guest_is_not_starving() -> None:
    """R7: nothing free, but most of it cache it can drop."""
    world = World(guests=[Guest(name="a", actual_mib=300, used_mib=100, cache_mib=198)])
    world.rounds(WARM_ROUNDS)
    assert not world.trace("a").is_distressed


def test_memory_is_freed_first_then_given() -> None:
    world = three()
    world.rounds(WARM_ROUNDS)
    world.obeys = False
    world.guest("b").used_mib = 290
    step = world.round()
    assert {str(c.guest) for c in step.plan.changes} <= {"a", "c"}
    assert all(c.target_bytes < 300 * MIB for c in step.plan.changes)
    assert world.trace("b").reason is Reason.HOLD_WAITING_FOR_MEMORY
    for name in "ac":  # the balloons arrive
        world.guest(name).actual_mib = world.trace(name).target_bytes // MIB  # type: ignore[operator]
    given = [c for c in world.round(elapse_s=0.25).plan.changes if c.guest == "b"]
    assert given
    assert given[0].target_bytes > 300 * MIB


def test_no_fresh_figures_no_shrink() -> None:
    world = three(has_statistics=False)
    world.guest("a").frozen_wall_s = 1.0
    world.guest("c").used_mib = 290
    for _ in range(20):
        for change in world.round().plan.changes:
            assert change.guest == "c"
    assert world.trace("a").target_bytes is None
    assert world.trace("b").target_bytes is None


def test_a_frozen_time_stamp_is_old_whenever_it_is_read() -> None:
    world = three()
    world.rounds(WARM_ROUNDS)
    world.guest("a").frozen_wall_s = 1_790_000_000.0 + world.now_s
    world.rounds(10)
    age_s = world.trace("a").figures_age_s
    assert age_s is not None
    assert age_s > 8


def test_a_clock_jump_neither_freezes_nor_takes() -> None:
    world = three()
    world.rounds(WARM_ROUNDS)
    for guest in world.guests:
        guest.frozen_wall_s = 1.0  # the guest's clock went back by years, once
    world.round()
    for guest in world.guests:
        guest.frozen_wall_s = None
    assert world.rounds(3).plan.changes == ()


def test_min_is_restored_before_anything_else() -> None:
    rule = LimitRule(name_glob="b", limits=GuestLimits(minimum=Amount(size_bytes=280 * MIB)))
    world = three(actual_mib=200)
    world.params = replace(params(), rules=(rule,))
    change = world.round().plan.changes[0]
    assert (str(change.guest), change.target_bytes) == ("b", 280 * MIB)
    assert change.reason is Reason.RAISED_TO_MIN


def test_a_min_that_is_no_whole_mib_is_restored_in_full() -> None:
    least = 280 * MIB + 20 * 1024
    rule = LimitRule(name_glob="b", limits=GuestLimits(minimum=Amount(size_bytes=least)))
    world = three(actual_mib=200)
    world.params = replace(params(), rules=(rule,))
    change = world.round().plan.changes[0]
    assert (str(change.guest), change.target_bytes) == ("b", least)


def test_nothing_is_taken_in_grace_after_boot() -> None:
    world = World(guests=[], params=params(budget_mib=300, grace_s=10.0))
    world.round()
    world.guests.append(Guest(name="a", used_mib=100))
    world.rounds(9)
    assert world.trace("a").reason is Reason.HOLD_IN_GRACE
    world.rounds(4)
    assert world.guest("a").actual_mib == 300


def test_a_reset_guest_gets_its_memory_before_it_boots() -> None:
    """The target survives a reset: the fresh kernel would inflate straight to it."""
    world = three()
    world.rounds(WARM_ROUNDS)
    world.guest("b").actual_mib = 250
    world.guest("b").used_mib = 50
    world.events.append(
        TargetAnswered(guest=GuestId("b"), target_bytes=250 * MIB, outcome=Outcome.ACCEPTED)
    )
    world.rounds(WARM_ROUNDS)
    world.params = params(budget_mib=2000)
    world.events.append(LifecycleChanged(guest=GuestId("b"), kind=LifecycleKind.RESET))
    change = next(c for c in world.round().plan.changes if c.guest == "b")
    assert change.target_bytes == 512 * MIB
    assert change.reason is Reason.RELEASED_ON_RESET


def test_a_stalled_balloon_is_set_back_to_actual_and_left_alone_for_a_while() -> None:
    world = World(
        guests=[Guest(name="a", used_mib=100)], params=params(budget_mib=300), obeys=False
    )
    world.rounds(WARM_ROUNDS)
    asked = world.trace("a").target_bytes
    assert asked is not None
    assert asked < 512 * MIB
    seen = [world.round().plan.changes for _ in range(8)]
    accepted = [c for changes in seen for c in changes if c.reason is Reason.STALL_ACCEPTED]
    assert [c.target_bytes for c in accepted] == [512 * MIB]
    for _ in range(20):
        assert world.round().plan.changes == ()
    assert world.trace("a").bound is Bound.STALL


def test_the_quarantine_of_a_balloon_that_stays_stuck_doubles() -> None:
    """R9: setting the target to ``actual`` is no arrival that would end it."""
    world = World(
        guests=[Guest(name="a", used_mib=100)], params=params(budget_mib=300), obeys=False
    )
    accepted_s: list[float] = []
    for _ in range(300):
        changes = world.round().plan.changes
        if any(change.reason is Reason.STALL_ACCEPTED for change in changes):
            accepted_s.append(world.now_s)
    waits_s = [now - before for before, now in pairwise(accepted_s)]
    assert len(waits_s) >= 2
    assert all(now > 1.5 * before for before, now in pairwise(waits_s))


def test_a_balloon_that_deflates_by_itself_is_distress() -> None:
    """deflate-on-oom fired: a BALLOON_CHANGE nobody ordered."""
    world = World(
        guests=[Guest(name="a", actual_mib=512, used_mib=100)], params=params(budget_mib=300)
    )
    world.rounds(8)
    assert world.guest("a").actual_mib == 300
    world.params = params(budget_mib=900)
    world.guest("a").actual_mib = 340
    change = world.round().plan.changes[0]
    assert change.target_bytes == 512 * MIB


def test_paused_migrating_unreachable_and_unmanaged_guests_are_left_alone() -> None:
    world = World(
        guests=[
            Guest(name="paused", run_state=RunState.PAUSED),
            Guest(name="migrating", run_state=RunState.MIGRATING),
            Guest(name="silent", run_state=RunState.UNREACHABLE, actual_mib=None),
            Guest(name="driverless", has_balloon=False),
            Guest(name="hands-off"),
        ],
        params=replace(
            params(budget_mib=600),
            rules=(LimitRule(name_glob="hands-*", limits=GuestLimits(is_managed=False)),),
        ),
    )
    for _ in range(20):
        assert world.round().plan.changes == ()
    reasons = {trace.name: trace.reason for trace in world.last.trace.guests}  # type: ignore[union-attr]
    assert reasons == {
        "paused": Reason.HOLD_NOT_RUNNING,
        "migrating": Reason.HOLD_MIGRATING,
        "silent": Reason.HOLD_UNREACHABLE,
        "driverless": Reason.HOLD_NO_BALLOON,
        "hands-off": Reason.HOLD_NOT_MANAGED,
    }


def test_an_unreachable_guest_still_holds_what_it_held() -> None:
    """Its memory must not be handed to the others."""
    world = three()
    world.rounds(WARM_ROUNDS)
    world.guest("b").run_state = RunState.UNREACHABLE
    world.guest("b").actual_mib = None
    world.guest("a").used_mib = 295
    world.rounds(20)
    assert sum(world.guest(name).actual_mib or 0 for name in "ac") <= 600


def test_an_unreadable_host_takes_from_nobody() -> None:
    world = World(guests=[Guest(name="a", used_mib=50)], params=params(budget_mib=300), memory=None)
    for _ in range(10):
        assert world.round().plan.changes == ()


def test_static_splits_by_weight_and_holds() -> None:
    rule = LimitRule(name_glob="b", limits=GuestLimits(weight=200))
    world = World(
        guests=[Guest(name=name, max_mib=2048, actual_mib=2048, used_mib=1500) for name in "abc"],
        params=replace(
            params(budget_mib=4000), policy=PolicyName.STATIC, is_guarded=False, rules=(rule,)
        ),
    )
    world.rounds(3)
    assert [world.guest(name).actual_mib for name in "abc"] == [1000, 2000, 1000]
    assert world.rounds(10).plan.changes == ()


def test_static_behind_the_guard_still_releases_distress() -> None:
    world = World(
        guests=[Guest(name="a", actual_mib=300, used_mib=298), Guest(name="b", used_mib=100)],
        params=replace(params(budget_mib=900), policy=PolicyName.STATIC),
    )
    world.rounds(3)
    assert world.guest("a").actual_mib is not None
    assert world.guest("a").actual_mib > 300  # type: ignore[operator]


def test_a_refused_target_is_not_believed() -> None:
    world = three()
    world.rounds(WARM_ROUNDS)
    world.events = [
        TargetAnswered(guest=GuestId("a"), target_bytes=100 * MIB, outcome=Outcome.REFUSED)
    ]
    world.round()
    assert world.trace("a").target_bytes is None


def test_the_burst_reserve_is_for_distress_only() -> None:
    base = params(budget_mib=700)
    world = World(
        guests=[
            Guest(name="a", actual_mib=300, used_mib=200),
            Guest(name="b", actual_mib=300, used_mib=200),
        ],
        params=replace(
            base,
            host=replace(
                base.host,
                burst_reserve=Amount(size_bytes=100 * MIB),
                burst_reserve_min=Amount(size_bytes=100 * MIB),
            ),
        ),
    )
    assert world.rounds(10).plan.changes == ()
    world.guest("a").used_mib = 297
    world.round()
    assert world.guest("a").actual_mib == 400


def test_a_guest_without_figures_is_not_said_to_have_enough() -> None:
    world = three(has_statistics=False)
    world.rounds(2)
    assert world.trace("b").reason is Reason.HOLD_FIGURES_ABSENT


def test_guests_that_were_there_before_us_have_most_of_their_grace_behind_them() -> None:
    """After a restart somebody may be starving, and the others must be able to give soon."""
    world = World(
        guests=[
            Guest(name="starving", actual_mib=200, used_mib=198),
            Guest(name="rich", actual_mib=500, used_mib=100),
        ],
        params=params(budget_mib=700, grace_s=10.0),
    )
    for _ in range(6):
        world.guest("starving").major_faults += 500
        world.round()
    assert (world.guest("starving").actual_mib or 0) > 300
    world.guests.append(Guest(name="booting", actual_mib=100, used_mib=40))
    world.rounds(6)
    assert world.trace("booting").reason is not Reason.TAKEN_FOR_OTHERS


def test_elastic_accounting_takes_only_when_the_host_runs_short() -> None:
    """Guests hold more on paper than the host could back, and nobody has touched it."""
    base = params(budget_mib=None)
    for accounting, takes in ((Accounting.STRICT, True), (Accounting.ELASTIC, False)):
        world = World(
            guests=[
                Guest(name=n, max_mib=4096, actual_mib=4096, used_mib=500, held_mib=600)
                for n in "abcd"
            ],
            params=replace(base, host=replace(base.host, accounting=accounting)),
            memory=host_memory(total_gib=12, available_gib=9),
        )
        world.rounds(8)
        assert any((g.actual_mib or 0) < 4096 for g in world.guests) is takes
        world.memory = host_memory(total_gib=12, available_gib=0.8)
        world.rounds(8)
        assert any((g.actual_mib or 0) < 4096 for g in world.guests)


def test_what_page_sharing_saves_is_not_handed_out() -> None:
    """Any write takes it back: R17."""
    plain = host_memory(total_gib=8, available_gib=3)
    supplies = []
    for memory in (plain, replace(plain, revocable_bytes=1024 * MIB)):
        world = World(
            guests=[Guest(name="a", used_mib=100)], params=params(budget_mib=None), memory=memory
        )
        supplies.append(world.round().trace.host.supply_bytes or 0)
    assert supplies[0] - supplies[1] == 1024 * MIB


def test_memory_promised_to_a_vm_that_is_coming_is_not_handed_out() -> None:
    """R10: three VMs start at once, and have not touched their memory yet."""
    world = three()
    world.rounds(WARM_ROUNDS)
    world.events.append(MemoryReserved(guest=GuestId("new"), size_bytes=200 * MIB, for_s=30.0))
    world.rounds(4)
    assert sum(g.actual_mib or 0 for g in world.guests) <= 703
    world.guests.append(Guest(name="new", actual_mib=200, used_mib=50))
    world.round()
    assert world.last is not None
    assert world.last.trace.host.reserved_bytes == 0


def test_a_guest_that_holds_more_than_it_says_is_counted_by_what_it_holds() -> None:
    """R14: it says it inflated, and the host has got nothing back."""
    world = three(held_mib=600)
    world.rounds(2)
    assert world.trace("b").is_doubted
    assert world.last is not None
    assert world.last.trace.host.committed_bytes > 900 * MIB


def test_a_critical_host_gives_to_nobody_but_the_distressed() -> None:
    base = params(budget_mib=None)
    world = World(
        guests=[
            Guest(name="a", actual_mib=300, used_mib=270),
            Guest(name="b", actual_mib=300, used_mib=100),
        ],
        params=base,
        memory=host_memory(total_gib=10, available_gib=0.2),
    )
    world.rounds(3)
    assert world.last is not None
    assert world.last.trace.host.state is HostState.CRITICAL
    assert (world.guest("a").actual_mib or 0) <= 300


def test_what_was_squeezed_out_of_use_is_given_back_when_it_hurts() -> None:
    """Idle memory is found by taking a little and looking; what is read back was not idle."""
    world = World(
        guests=[
            Guest(name="idle", actual_mib=450, used_mib=400, swap_out_mib=1),
            Guest(name="busy", actual_mib=450, used_mib=445),
        ],
        params=params(budget_mib=900),
    )
    for _ in range(40):
        idle = world.guest("idle")
        # Its kernel pages out what it does not use, and keeps a little available.
        idle.used_mib = min(400, (idle.actual_mib or 0) - 10)
        busy = world.guest("busy")
        busy.used_mib = (busy.actual_mib or 0) - 5
        busy.major_faults += 500
        world.round()
    squeezed = world.guest("idle").actual_mib or 0
    assert squeezed < 400
    assert not world.trace("idle").is_distressed
    world.guest("idle").swap_in_mib += 5
    world.round()
    assert world.trace("idle").is_distressed
    # It is not asked for the same again: what hurt is remembered as a floor.
    for _ in range(10):
        world.round()
        assert (world.guest("idle").actual_mib or 0) >= squeezed


def test_a_figure_that_is_no_longer_told_takes_nothing() -> None:
    """R8: samples go on coming, but what is available is not in them any more."""
    world = World(guests=[Guest(name="a", used_mib=100)], params=params(budget_mib=600))
    world.rounds(WARM_ROUNDS)
    world.guest("a").tells_available = False
    world.params = params(budget_mib=300)
    for _ in range(5):
        assert world.round().plan.changes == ()
    assert world.trace("a").reason is Reason.HOLD_FIGURES_ABSENT


def test_a_target_that_somebody_else_set_is_noticed() -> None:
    """R12: a guest that was lowered by others and starves must be released all the same."""
    world = World(guests=[Guest(name="a", actual_mib=300, used_mib=296)], params=params())
    world.rounds(2)
    assert world.trace("a").target_bytes == 512 * MIB
    guest = world.guest("a")
    guest.actual_mib, guest.used_mib = 200, 196
    guest.major_faults += 500
    changes = world.round().plan.changes
    assert [change.target_bytes for change in changes] == [512 * MIB]


def test_nothing_is_taken_where_nothing_came_back() -> None:
    """R16: a passed-through device pins its RAM, so that inflating its balloon is in vain."""
    pinned = Guest(name="a", max_mib=1024, actual_mib=600, used_mib=200, held_mib=1100)
    world = World(guests=[pinned, Guest(name="b", used_mib=450)], params=params(budget_mib=1200))
    for _ in range(10):
        assert all(change.guest != "a" for change in world.round().plan.changes)
    assert world.trace("a").reason is Reason.HOLD_DOUBTED


def test_a_guest_that_never_swapped_is_not_taken_below_what_it_uses() -> None:
    """Perhaps it has no swap: then its OOM killer would pay for the host's memory."""
    world = World(
        guests=[Guest(name=n, actual_mib=450, used_mib=400) for n in "ab"],
        params=params(budget_mib=600),
    )
    world.rounds(40)
    assert all((guest.actual_mib or 0) >= 400 for guest in world.guests)
    assert world.trace("a").reason is Reason.HOLD_AT_FLOOR
    assert world.last is not None
    assert world.last.trace.host.short_bytes > 0


def test_little_available_alone_is_not_distress_once_its_rates_are_known() -> None:
    world = three(actual_mib=300, used_mib=294)
    assert world.round() is not None
    assert world.trace("b").is_distressed
    world.rounds(3)
    assert not world.trace("b").is_distressed


def test_a_guest_that_is_moved_to_and_fro_is_left_alone_for_a_while() -> None:
    def takes(**switched: object) -> int:
        world = World(
            guests=[Guest(name=n, actual_mib=450, used_mib=100) for n in "ab"],
            params=replace(params(budget_mib=900), **switched),  # type: ignore[arg-type]
        )
        world.rounds(WARM_ROUNDS)
        count = 0
        for turn in range(300):
            # Each wants everything for three seconds, in turn, and drops it at once.
            busy = "ab"[(turn // 3) % 2]
            for guest in world.guests:
                guest.used_mib = 420 if guest.name == busy else 80
                guest.used_mib = min(guest.used_mib, (guest.actual_mib or 0) - 30)
            before = {g.name: g.actual_mib or 0 for g in world.guests}
            world.round()
            count += sum((g.actual_mib or 0) < before[g.name] for g in world.guests)
        return count

    assert takes() < 0.6 * takes(rules_off=frozenset({GuardRule.BRAKE}))
