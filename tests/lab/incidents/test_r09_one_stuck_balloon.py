"""R9: one of four balloons hangs in the middle of an order, and recovers.

As in scenarios/r09-one-stuck-balloon.toml, where the host needs memory and one guest has by far the
most to spare. Here a budget that is smaller than what they hold stands for the host's need, and the
balloon really hangs (the workload's order ``balloon hung``), for seconds instead of minutes.
"""

from collections.abc import Iterator

import pytest

from aerostat.model.reasons import Reason
from aerostat.policy.params import PolicyName
from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.conftest import Balance
from lab.incidents.settings import BARE, RAM_BYTES, REAL, hasty, ours, peer

pytestmark = REAL

OTHERS = ("ada", "cal", BARE)
HOT_BYTES = 120 * MIB  # of the others: they could spare a little, and bob by far the most
SHORT_BYTES = 90 * MIB
BUDGET_BYTES = 4 * RAM_BYTES - SHORT_BYTES


@pytest.fixture
def stuck(guests: Guests) -> Iterator[Guests]:
    """Three that work, and bob, who idles and whose balloon hangs."""
    for name in OTHERS:
        guests.order(name, "rate 2000")
        guests.order(name, f"hot {HOT_BYTES}")
    guests.until(
        lambda: all(guests.latest(name).heap_bytes > 0.9 * HOT_BYTES for name in OTHERS),
        "the others work",
    )
    guests.order("bob", "balloon hung")
    guests.live_on(2)
    yield guests
    guests.order("bob", "balloon works")


@pytest.mark.incident("R9")
def test_a_stuck_balloon_is_left_alone_for_a_while_and_disturbs_nobody_else(
    stuck: Guests, balance: Balance
) -> None:
    params = ours(BUDGET_BYTES, guard=hasty(stall_s=2.0))
    with balance(params, *OTHERS, "bob") as balancer:
        balancer.until(lambda: Reason.STALL_ACCEPTED in balancer.reasons("bob"), "quarantine")
        balancer.until(
            lambda: stuck.total_actual_bytes() <= BUDGET_BYTES + 16 * MIB, "others stand in for bob"
        )
        stuck.live_on(3)
        asked = balancer.commands("bob")
        assert stuck.actual_bytes("bob") == RAM_BYTES, "its balloon moved"
        assert asked[0].target_bytes < RAM_BYTES - SHORT_BYTES // 2, balancer.account
        assert asked[1].reason is Reason.STALL_ACCEPTED, balancer.account
        assert asked[1].target_bytes == RAM_BYTES, "its driver would try without end"
        assert len(asked) <= 4, "it is asked again and again"

        for name in OTHERS:
            (paid,) = balancer.commands(name)  # once, and not more than their part
            assert paid.before_bytes - paid.target_bytes <= SHORT_BYTES // 3 + 8 * MIB, paid
            assert not any(trace.is_distressed for trace in balancer.traces(name)), name

        stuck.order("bob", "balloon works")
        stuck.order("ada", f"hot {HOT_BYTES + 30 * MIB}")
        balancer.until(lambda: stuck.actual_bytes("bob") < RAM_BYTES - 16 * MIB, "readmitted")
        balancer.until(
            lambda: balancer.commands("ada")[-1].target_bytes > paid.target_bytes,
            "who stood in for bob has it back",
        )


@pytest.mark.incident("R9")
def test_where_the_stuck_leave_the_plan_the_others_pay_for_them(
    stuck: Guests, balance: Balance
) -> None:
    with balance(peer(PolicyName.PROPORTIONAL, BUDGET_BYTES), *OTHERS, "bob") as balancer:
        balancer.until(
            lambda: sum(stuck.actual_bytes(name) for name in OTHERS) < 3 * RAM_BYTES - SHORT_BYTES,
            "the others pay",
        )
        assert stuck.actual_bytes("bob") == RAM_BYTES
