"""What the host asked for and did not get: it asks again at once, for what lies free all the same.

A part of what lies free in a guest the host never held: a balloon that takes it brings nothing.
"""

from dataclasses import replace

from aerostat.engine.params import Accounting, EngineParams, GuardRule, HostParams
from aerostat.model.limits import Amount
from aerostat.units import MIB
from builders import Guest, World, host_memory, params

RESERVE_MIB = 1024
GAP_MIB = 200
TOTAL_GIB = 8.0


def told(**changed: object) -> EngineParams:
    base = replace(
        params(budget_mib=None),
        host=HostParams(
            accounting=Accounting.ELASTIC,
            reserve=Amount(size_bytes=RESERVE_MIB * MIB),
            burst_reserve=Amount(size_bytes=0),
        ),
    )
    return replace(base, **changed)  # type: ignore[arg-type] # real fields


class Host:
    """A host of which one guest's take brings only a part, and figures that come once a second."""

    def __init__(
        self, guest: Guest, *, backed: float, parameters: EngineParams | None = None
    ) -> None:
        self.guest = guest
        self.backed = backed
        self.world = World(guests=[guest], params=parameters or told())
        self.world.memory = host_memory(total_gib=TOTAL_GIB, available_gib=4.0)
        self.world.rounds(20)  # known, and calm
        self.available_mib = float(RESERVE_MIB - GAP_MIB)

    def second(self) -> list[int]:
        """Four rounds in which the guest says nothing new; what each took, in MiB."""
        taken = []
        frozen = self.world.now_s + 0.25
        self.guest.frozen_wall_s = 1_790_000_000.0 + frozen
        self.guest.available_mib = (self.guest.actual_mib or 0) - self.guest.used_mib
        for _ in range(4):
            before = self.guest.actual_mib or 0
            self.world.memory = host_memory(
                total_gib=TOTAL_GIB, available_gib=self.available_mib / 1024
            )
            self.world.round(elapse_s=0.25)
            took = before - (self.guest.actual_mib or 0)
            self.available_mib += took * self.backed
            taken.append(took)
        return taken


def guest(**changed: object) -> Guest:
    base: dict[str, object] = {
        "name": "big",
        "max_mib": 2048,
        "actual_mib": 2048,
        "used_mib": 300,
        "held_mib": 1500.0,
    }
    return Guest(**{**base, **changed})  # type: ignore[arg-type] # real fields


def test_what_did_not_come_is_asked_for_before_the_guest_reports_again() -> None:
    host = Host(guest(), backed=0.75)
    taken = host.second()
    assert taken[0] >= GAP_MIB
    assert sum(taken) * 0.75 >= 0.95 * GAP_MIB


def test_what_came_in_full_is_asked_for_once() -> None:
    taken = Host(guest(), backed=1.0).second()
    assert taken[0] >= GAP_MIB
    assert sum(taken[1:]) == 0


def test_no_more_is_asked_for_than_lay_free_by_its_last_word() -> None:
    host = Host(guest(used_mib=1700), backed=0.0)
    assert sum(host.second()) <= 2048 - 1700


def test_where_the_host_does_not_see_what_it_holds_one_take_a_sample_it_is() -> None:
    taken = Host(guest(held_mib=None), backed=0.75).second()
    assert taken[0] >= GAP_MIB
    assert sum(taken[1:]) == 0


def test_where_the_rest_hides_in_huge_pages_more_is_not_asked_for() -> None:
    hidden = guest()
    host = Host(hidden, backed=0.5)
    hidden.unsplit_mib = 100
    taken = host.second()
    assert taken[0] >= GAP_MIB
    assert sum(taken[1:]) == 0


def test_the_rule_can_be_switched_off_as_before() -> None:
    off = told(rules_off=frozenset({GuardRule.ONE_TAKE_A_SAMPLE}))
    assert sum(Host(guest(), backed=0.75, parameters=off).second()) > GAP_MIB
