"""``clairvoyant``: what is needed now and next, and nothing else moves."""

from aerostat.policy.params import PolicyName
from unit.policy.views import Asked, Guest, host


def needing(demand_mib: float | None, next_mib: float | None = None, *, weight: int = 100) -> Guest:
    return Guest(min_mib=512, demand_mib=demand_mib, next_demand_mib=next_mib, weight=weight)


def sizes(*guests: Guest, supply_mib: float) -> list[float]:
    return Asked(PolicyName.CLAIRVOYANT, *guests).targets_mib(host(supply_mib=supply_mib))


def test_memory_is_there_before_it_is_needed() -> None:
    assert sizes(needing(1000, 3000), needing(1000, 1000), supply_mib=4096) == [3000, 1096]


def test_nothing_moves_without_need() -> None:
    assert sizes(needing(1000), needing(600), supply_mib=4096) == [2048, 2048]


def test_now_comes_before_next() -> None:
    assert sizes(needing(3000, 3000), needing(500, 4000), supply_mib=3600) == [3000, 600]


def test_a_shortage_is_shared_fairly() -> None:
    assert sizes(needing(4000), needing(4000), supply_mib=3000) == [1500, 1500]
    assert sizes(needing(4000), needing(600), supply_mib=3000) == [2400, 600]


def test_a_shortage_is_shared_by_weight() -> None:
    assert sizes(needing(4000, weight=200), needing(4000), supply_mib=3000) == [2000, 1000]


def test_bounds_hold() -> None:
    assert sizes(needing(9000), supply_mib=9000) == [4096]
    assert sizes(needing(0), supply_mib=100) == [512]


def test_a_guest_it_is_not_told_about_keeps_what_it_holds() -> None:
    assert sizes(needing(None), needing(3000), supply_mib=4096) == [2048, 2048]


def test_what_cannot_move_is_not_there_to_share() -> None:
    fixed = Guest(actual_mib=3000, is_movable=False)
    assert sizes(fixed, needing(4000), supply_mib=5000) == [3000, 2000]
