"""``proportional``: squeezed's equal fraction, its two phases, and its watch for stuck guests."""

from aerostat.policy.params import PolicyName
from aerostat.policy.proportional import proportional_targets
from unit.policy.views import Asked, Guest, host, mib, view


def pair(**other: float) -> list[Guest]:
    sizes: dict[str, float] = {"min_mib": 1000, "max_mib": 3000, "actual_mib": 2000, **other}
    return [Guest(**sizes), Guest(**sizes)]  # type: ignore[arg-type] # a test names real fields


def asked_pair() -> Asked:
    return Asked(PolicyName.PROPORTIONAL, *pair())


def test_everybody_gets_the_same_fraction() -> None:
    """The worked example: 1200 of surplus over a range of 4000 is 0.3."""
    targets = proportional_targets(
        view(pair()),
        [1, 1],
        host_free_bytes=mib(200),
        wanted_free_bytes=mib(1000),
        inaccuracy_bytes=0,
    )
    assert targets == [mib(1600), mib(1600)]


def test_guests_without_a_range_divide_nothing_by_nothing() -> None:
    fixed = view([Guest(min_mib=1000, max_mib=1000, actual_mib=1000)])
    targets = proportional_targets(fixed, [1], host_free_bytes=mib(500), wanted_free_bytes=mib(72))
    assert targets == [mib(1000)]


def test_a_guest_below_its_min_owes_nothing() -> None:
    """It is raised to min and beyond, out of a surplus that does not count what it lacks."""
    both = view([Guest(min_mib=1000, max_mib=3000, actual_mib=500), *pair()[:1]])
    targets = proportional_targets(
        both, [1, 1], host_free_bytes=mib(0), wanted_free_bytes=mib(0), inaccuracy_bytes=0
    )
    assert targets == [mib(1500), mib(1500)]


def test_memory_is_freed_before_it_is_given() -> None:
    asked = Asked(
        PolicyName.PROPORTIONAL,
        Guest(min_mib=1000, max_mib=3000, actual_mib=3000),
        Guest(min_mib=1000, max_mib=3000, actual_mib=1000),
    )
    first = asked.obeyed(host(now_s=0.0, available_mib=72))
    assert 1999 <= first[0] < 2000
    assert first[1] == 1000
    second = asked.obeyed(host(now_s=1.0, available_mib=72 + 1000))
    assert second[1] > 1999


def test_it_looks_every_ten_seconds_while_all_is_well() -> None:
    asked = asked_pair()
    for guest in asked.guests:
        guest.max_mib = guest.actual_mib
    quiet = host(now_s=0.0, available_mib=5000)
    assert asked.targets_mib(quiet) == [2000, 2000]
    short = host(now_s=4.0, available_mib=0)
    assert asked.targets_mib(short) == [2000, 2000]
    assert asked.targets_mib(short._replace(now_s=10.0))[0] < 2000


def test_a_guest_that_does_not_move_is_left_out_and_the_others_pay() -> None:
    """The refuser is rewarded: it keeps all it has, and the other gives more for it."""
    asked = asked_pair()
    wanted = asked.targets_mib(host(now_s=0.0, available_mib=0))
    assert wanted[0] == wanted[1] < 2000
    honest, refuser = asked.guests
    honest.actual_mib = honest.ordered_mib = wanted[0]
    refuser.ordered_mib = wanted[1]
    freed = 2000 - wanted[0]
    for now_s in (1.0, 3.0, 5.0):
        asked.targets(host(now_s=now_s, available_mib=freed))
    late = asked.targets_mib(host(now_s=6.0, available_mib=0))
    assert late[0] < wanted[0]
    assert late[1] == wanted[1]  # its standing target: nothing new is asked of it


def test_a_page_of_movement_clears_the_stuck() -> None:
    asked = asked_pair()
    wanted = asked.targets_mib(host(now_s=0.0, available_mib=0))
    for guest in asked.guests:
        guest.ordered_mib = wanted[0]
    asked.targets(host(now_s=6.0, available_mib=0))
    assert asked.memory.is_stuck == [1, 1]
    asked.guests[0].actual_mib = 2000 - 1 / 256
    asked.targets(host(now_s=16.0, available_mib=0))
    assert asked.memory.is_stuck == [0, 0]  # forgotten: all were stuck, so it had given up
    asked.targets(host(now_s=22.0, available_mib=0))
    assert asked.memory.is_stuck == [1, 1]


def test_movement_clears_the_stuck_while_it_acts() -> None:
    asked = asked_pair()
    wanted = asked.targets_mib(host(now_s=0.0, available_mib=0))
    moving, stuck = asked.guests
    for guest in asked.guests:
        guest.ordered_mib = wanted[0]
    for step, now_s in enumerate((2.0, 4.0, 6.0), start=1):
        moving.actual_mib = 2000 - step
        asked.targets(host(now_s=now_s, available_mib=0))
    assert asked.memory.is_stuck == [0, 1]
    stuck.actual_mib = 1999
    moving.actual_mib = 1996
    asked.targets(host(now_s=7.0, available_mib=0))
    assert asked.memory.is_stuck == [0, 0]


def test_a_guest_without_bounds_or_size_is_left_out() -> None:
    asked = Asked(PolicyName.PROPORTIONAL, Guest(min_mib=None), Guest(actual_mib=None), *pair())
    targets = asked.targets_mib(host(available_mib=0))
    assert targets[:2] == [2048, 0]
    assert targets[2] < 2000


def test_without_the_hosts_figures_nothing_moves() -> None:
    assert asked_pair().targets_mib(host(available_mib=None)) == [2000, 2000]
