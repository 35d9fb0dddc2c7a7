"""A balloon that let go by itself: a sign of distress, as long as there is something to give."""

from dataclasses import replace

from aerostat.model.limits import Amount, GuestLimits, LimitRule
from builders import Guest, World, host_memory, params


def test_a_guest_above_its_lowered_max_is_not_in_distress_for_ever() -> None:
    """Found by chaos seed 715: it kept 2.6 GiB that it did not use, while others starved.

    Its balloon had let go beyond the operator's max. No target could ever take that back into
    account, so the sign of distress never went away and nothing was taken from it.
    """
    limits = GuestLimits(minimum=Amount(size_bytes=64 << 20), maximum=Amount(size_bytes=400 << 20))
    world = World(
        guests=[
            Guest(name="risen", actual_mib=300, used_mib=290),
            Guest(name="short", actual_mib=400, used_mib=100),
        ],
        params=replace(params(budget_mib=900), default_limits=limits),
        memory=host_memory(),
    )
    world.rounds(10)
    risen = world.guest("risen")
    assert risen.actual_mib == 400
    world.obeys = False
    risen.actual_mib = 460  # deflate-on-oom: above the max that the operator allows
    world.rounds(2)
    risen.used_mib = 100  # and what it ran out of memory for is over
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=500 << 20))
    takes = 0
    for _ in range(60):
        takes += sum(c.guest == "risen" for c in world.round().plan.changes)
    assert takes > 0
    assert not world.trace("risen").is_distressed


def test_a_target_a_little_above_a_lowered_max_gives_what_lies_idle_in_it() -> None:
    """Found by chaos seed 20132: 2.8 GiB lay idle in one guest while another one thrashed.

    Its max was no whole number of MiB and its target lay less than one above it. Lowering it to its
    max was not worth a command, and was all that was ever wished of it.
    """
    rule = LimitRule(
        name_glob="idle", limits=GuestLimits(maximum=Amount(size_bytes=(400 << 20) + 12345))
    )
    world = World(
        guests=[
            Guest(name="idle", actual_mib=401, used_mib=100),
            Guest(name="short", actual_mib=200, used_mib=198),
        ],
        params=replace(params(budget_mib=602), rules=(rule,)),
        memory=host_memory(),
    )
    world.rounds(60)
    assert (world.guest("short").actual_mib or 0) > 240
    assert (world.guest("idle").actual_mib or 999) < 350


def test_what_let_go_beyond_its_max_comes_back_to_it() -> None:
    """Found by chaos seed 21065: a target that had been left counted as its size for ever.

    And a small guest's steps were too small to be sent at all.
    """
    limits = GuestLimits(minimum=Amount(size_bytes=32 << 20), maximum=Amount(size_bytes=168 << 20))
    world = World(
        guests=[Guest(name="small", actual_mib=168, used_mib=100, cache_mib=150)],
        params=replace(params(budget_mib=900), default_limits=limits),
        memory=host_memory(),
    )
    world.rounds(10)
    lower = replace(limits, maximum=Amount(size_bytes=128 << 20))
    world.params = replace(world.params, default_limits=lower)
    world.guest("small").actual_mib = 256
    world.rounds(120)
    assert (world.guest("small").actual_mib or 999) <= 136
