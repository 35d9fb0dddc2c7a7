"""What the host does to a VM: its swap is no gift, its limit a ceiling, its growth a commitment."""

from dataclasses import replace
from itertools import pairwise

import pytest

from aerostat.engine.explain import explain, host_words
from aerostat.engine.host_signs import HostSigns, HostWaits, state_by_swap, waits_after
from aerostat.engine.params import Accounting, GuardRule, HostParams
from aerostat.engine.prospects import prospects
from aerostat.engine.release import release
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import HostState
from aerostat.model.limits import Amount
from aerostat.model.reasons import Bound, Reason
from aerostat.units import MIB
from builders import WALL_S, Guest, World, host_memory, params


def sleeper(**changed: object) -> Guest:
    """It uses little, and half of it lies in the host's swap."""
    told: dict[str, object] = {
        "name": "sleeper",
        "max_mib": 1024,
        "actual_mib": 1024,
        "used_mib": 100,
        "held_mib": 600.0,
        "host_swap_mib": 500.0,
        "host_swap_in_mib": 40.0,
    }
    return Guest(**{**told, **changed})  # type: ignore[arg-type]


def spare(**changed: object) -> Guest:
    told: dict[str, object] = {
        "name": "spare",
        "max_mib": 1024,
        "actual_mib": 700,
        "used_mib": 150,
        "held_mib": 780.0,
        "host_swap_mib": 0.0,
    }
    return Guest(**{**told, **changed})  # type: ignore[arg-type]


def hungry(name: str = "hungry", *, used_mib: int = 280) -> Guest:
    return Guest(name=name, max_mib=1024, actual_mib=300, used_mib=used_mib)


def off(rule: GuardRule, budget_mib: int) -> World:
    return World(
        guests=[sleeper(), spare(), hungry()],
        params=params(budget_mib=budget_mib, rules_off=frozenset({rule})),
    )


def test_what_lies_in_the_hosts_swap_is_not_asked_for_while_another_can_give() -> None:
    world = World(guests=[sleeper(), spare(), hungry()], params=params(budget_mib=2024))
    world.rounds(8)
    assert world.guest("sleeper").actual_mib == 1024
    assert (world.guest("spare").actual_mib or 0) < 660
    assert (world.guest("hungry").actual_mib or 0) > 350


def test_without_the_rule_it_is_asked_first_because_it_has_most_to_spare() -> None:
    world = off(GuardRule.HOST_SWAP, 2024)
    world.rounds(8)
    assert (world.guest("sleeper").actual_mib or 0) < 1000


def test_where_nobody_else_can_give_it_is_asked_a_little_at_a_time() -> None:
    world = World(guests=[sleeper(), hungry()], params=params(budget_mib=1324))
    targets, bounds = [1024], set()
    for _ in range(20):
        world.round()
        targets.append(world.guest("sleeper").actual_mib or 0)
        bounds.add(world.trace("sleeper").bound)
    assert targets[-1] < 1000
    assert Bound.HOST_SWAP in bounds
    assert max(before - now for before, now in pairwise(targets)) <= 52


def test_a_little_of_it_in_swap_is_no_reason() -> None:
    world = World(
        guests=[sleeper(held_mib=1060.0, host_swap_mib=40.0), hungry()],
        params=params(budget_mib=1324),
    )
    world.rounds(4)
    assert (world.guest("sleeper").actual_mib or 0) < 980


def test_old_news_of_its_process_say_nothing() -> None:
    world = World(guests=[sleeper(), hungry()], params=params(budget_mib=1324))
    world.round()
    world.guest("sleeper").held_mib = None
    world.rounds(14)
    assert (world.guest("sleeper").actual_mib or 0) < 800


def test_what_the_host_did_lately_is_told() -> None:
    guest = sleeper(host_swap_mib=0.0, host_swap_in_mib=0.0, host_waited_s=0.0)
    world = World(guests=[guest], params=params(budget_mib=4000))
    world.rounds(3)
    assert host_words(world.trace("sleeper")) == ""
    for _ in range(10):
        guest.host_swap_mib = (guest.host_swap_mib or 0) + 10
        guest.host_swap_in_mib = (guest.host_swap_in_mib or 0) + 2
        guest.host_waited_s = (guest.host_waited_s or 0) + 0.25
        world.round()
    trace = world.trace("sleeper")
    assert trace.host_swapped_out_bytes == pytest.approx(120 * MIB, rel=0.1)
    assert trace.host_swap_in_bytes_per_s == 2 * MIB
    assert trace.host_waiting_ratio == 0.25
    words = host_words(trace)
    assert "of it out in the last minute or so" in words
    assert "the host reads 2 MiB/s of it back" in words
    assert "100 MiB of it lie in the host's swap" in words
    assert "25% of the time" in words
    world.rounds(240)
    assert "out in the last minute" not in host_words(world.trace("sleeper"))


def test_counters_that_go_back_or_vanish_are_no_traffic() -> None:
    guest = sleeper(host_waited_s=5.0, limit_hits=10)
    world = World(guests=[guest], params=params(budget_mib=4000))
    world.rounds(2)
    for swap_in, waited, hits in ((3.0, 1.0, 2), (None, None, None), (90.0, 60.0, 500)):
        guest.host_swap_in_mib, guest.host_waited_s, guest.limit_hits = swap_in, waited, hits
        trace = world.round().trace.guests[0]
        assert trace.host_swap_in_bytes_per_s is None
        assert trace.host_waiting_ratio is None
        assert not trace.is_confined


def boxed(**changed: object) -> Guest:
    """Its own cgroup is at its limit of 600 MiB: more than its guest has lies beyond."""
    told: dict[str, object] = {
        "name": "boxed",
        "max_mib": 1024,
        "actual_mib": 900,
        "used_mib": 400,
        "held_mib": 600.0,
        "host_swap_mib": 380.0,
        "host_swap_in_mib": 0.0,
        "limit_hits": 0,
    }
    return Guest(**{**told, **changed})  # type: ignore[arg-type]


def wait_at_its_limit(world: World, guest: Guest, rounds: int) -> None:
    """The guest has touched all it has; its process takes 80 MiB beside."""
    for _ in range(rounds):
        beyond = max(0, (guest.actual_mib or 0) + 80 - 600)
        guest.held_mib, guest.host_swap_mib = (guest.actual_mib or 0) + 80 - beyond, beyond
        if beyond > 0:
            guest.host_swap_in_mib = (guest.host_swap_in_mib or 0) + 5
            guest.limit_hits = (guest.limit_hits or 0) + 100
        world.round()


def test_a_vm_at_its_own_limit_is_lowered_to_what_fits_and_not_raised() -> None:
    guest = boxed()
    world = World(guests=[guest], params=params(budget_mib=4000))
    wait_at_its_limit(world, guest, 60)
    assert guest.actual_mib == pytest.approx(520, abs=8)  # 600, less 80 that are the process's own
    trace = world.trace("boxed")
    assert trace.is_confined
    assert trace.reason is Reason.HOLD_CONFINED
    assert "a memory limit of its own cgroup holds no more than" in explain(trace)
    assert "raise that limit" in " ".join(prospects(trace, world.params).sentences)


def test_short_as_it_may_be_a_greater_target_cannot_help_it() -> None:
    guest = boxed()
    world = World(guests=[guest], params=params(budget_mib=4000))
    wait_at_its_limit(world, guest, 60)
    held = guest.actual_mib
    guest.used_mib, guest.swap_in_mib = (held or 0), 50
    for _ in range(5):
        guest.swap_in_mib += 10
        world.round()
    assert world.trace("boxed").is_distressed
    assert guest.actual_mib == held


def test_after_ten_minutes_without_waiting_there_it_is_tried_again() -> None:
    guest = boxed()
    world = World(guests=[guest], params=params(budget_mib=4000))
    wait_at_its_limit(world, guest, 60)
    held = guest.actual_mib or 0
    world.rounds(130, elapse_s=5.0)
    assert (guest.actual_mib or 0) > held + 100


def test_hits_of_a_limit_that_nobody_waits_for_are_nothing() -> None:
    """v1 counts every hit, also those that only cost the process some page cache."""
    guest = boxed()
    world = World(guests=[guest], params=params(budget_mib=4000))
    for _ in range(10):
        guest.limit_hits = (guest.limit_hits or 0) + 100
        world.round()
    assert not world.trace("boxed").is_confined


def test_a_limit_does_not_keep_a_vm_from_being_let_go() -> None:
    guest = boxed()
    world = World(guests=[guest], params=params(budget_mib=4000))
    wait_at_its_limit(world, guest, 60)
    wall_s = WALL_S + world.now_s
    snapshot = HostSnapshot(
        now_s=world.now_s, wall_s=wall_s, memory=world.memory, guests=(guest.snapshot(wall_s),)
    )
    (change,) = release(world.state, snapshot, world.params, Reason.RELEASED_ON_STOP).plan.changes
    assert change.target_bytes == 1024 * MIB


def elastic(**changed: object) -> World:
    """A silent VM that grows, and one that could use all there is; 700 MiB to give."""
    silent = Guest(name="silent", max_mib=2048, actual_mib=2048, has_statistics=False, held_mib=200)
    base = params(budget_mib=None)
    host = HostParams(
        accounting=Accounting.ELASTIC,
        reserve=Amount(size_bytes=0),
        burst_reserve=Amount(size_bytes=0),
    )
    return World(
        guests=[silent, hungry(used_mib=200)],
        params=replace(base, host=host, **changed),  # type: ignore[arg-type]
        memory=host_memory(total_gib=4, available_gib=0.69),
    )


def grow(world: World, rounds: int, mib_a_round: float) -> None:
    silent = world.guest("silent")
    for _ in range(rounds):
        silent.held_mib = (silent.held_mib or 0) + mib_a_round
        world.round()


def test_what_a_silent_vm_is_about_to_take_is_given_to_nobody_else() -> None:
    world = elastic()
    world.guest("hungry").actual_mib = 250
    grow(world, 2, 60.0)
    trace = world.trace("silent")
    assert trace.host_rising_bytes == 600 * MIB
    assert world.last is not None
    assert world.last.trace.host.rising_bytes == 600 * MIB
    assert "about to take 600 MiB more" in host_words(trace)


@pytest.mark.parametrize(("rules_off", "least_mib"), [(frozenset(), 0), ({GuardRule.RISING}, 500)])
def test_the_pool_is_not_given_away_twice(rules_off: set[GuardRule], least_mib: int) -> None:
    world = elastic(rules_off=frozenset(rules_off))
    world.guest("hungry").used_mib = 100
    world.guest("silent").held_mib = 200
    before = 300
    world.guest("silent").held_mib = 140
    world.obeys = True
    world.now_s += 1
    grow(world, 1, 60.0)
    given = (world.guest("hungry").actual_mib or 0) - before
    assert given >= least_mib


def test_a_measure_that_is_read_slowly_grows_as_slowly_as_it_is_read() -> None:
    """PSS comes every ten seconds: what rose in these is no growth of one."""
    world = elastic()
    silent = world.guest("silent")
    for second in range(40):
        silent.held_age_s = float(second % 10)
        silent.held_mib = 200.0 + 100 * (second // 10)
        world.round()
    trace = world.trace("silent")
    assert trace.host_rising_bytes == 100 * MIB


def test_who_tells_of_itself_does_not_rise() -> None:
    world = elastic()
    world.guest("silent").has_statistics = True
    grow(world, 5, 60.0)
    assert world.trace("silent").host_rising_bytes is None


SIGNS = HostSigns(swap_in_rate=3.0 * MIB, coming_bytes=30 * MIB)


@pytest.mark.parametrize(
    ("state", "ratio", "judged"),
    [
        (HostState.COMFORTABLE, None, HostState.SOFT),
        (HostState.COMFORTABLE, 0.02, HostState.SOFT),
        (HostState.SOFT, 0.5, HostState.HARD),
        (HostState.CRITICAL, 0.5, HostState.CRITICAL),
        (HostState.UNKNOWN, 0.5, HostState.UNKNOWN),
    ],
)
def test_a_host_that_reads_its_guests_back_is_short_whatever_it_has_available(
    state: HostState, ratio: float | None, judged: HostState
) -> None:
    waits = HostWaits(seen_s=1.0, total_s=1.0, ratio=ratio)
    assert state_by_swap(state, SIGNS, waits, before=HostState.COMFORTABLE) is judged


def test_it_stays_short_until_its_signs_are_clearly_over() -> None:
    waits = HostWaits(seen_s=1.0, total_s=1.0, ratio=0.04)
    weak = HostSigns(swap_in_rate=0.5 * MIB)
    calm = HostState.COMFORTABLE
    assert state_by_swap(calm, weak, waits, before=calm) is calm
    assert state_by_swap(calm, weak, waits, before=HostState.SOFT) is HostState.SOFT
    assert state_by_swap(calm, weak, waits, before=HostState.HARD) is HostState.HARD
    assert state_by_swap(calm, HostSigns(), waits, before=HostState.HARD) is calm


def test_waits_of_the_host_begin_anew_where_the_counter_does() -> None:
    at = host_memory()
    waits = HostWaits()
    for now_s, total_s, ratio in (
        (10.0, 5.0, None),
        (10.3, 5.2, None),
        (12.0, 5.5, 0.25),
        (14.0, 1.0, None),
        (16.0, 2.0, 0.5),
    ):
        memory = replace(at, pressure_some_total_s=total_s)
        waits = waits_after(waits, memory, now_s=now_s)
        assert waits.ratio == ratio
    assert waits_after(waits, None, now_s=18.0).total_s is None


def test_an_elastic_host_makes_room_for_what_comes_back() -> None:
    def supply_mib(**guest: object) -> int:
        told = sleeper(**guest)
        host = HostParams(accounting=Accounting.ELASTIC)
        world = World(guests=[told], params=replace(params(budget_mib=None), host=host))
        for _ in range(4):
            if told.host_swap_in_mib is not None:
                told.host_swap_in_mib += 20
            world.round()
        assert world.last is not None
        return (world.last.trace.host.supply_bytes or 0) // MIB

    assert supply_mib(host_swap_in_mib=None) - supply_mib() == 200
    assert supply_mib(host_swap_in_mib=None) - supply_mib(host_swap_mib=70.0) == 70
