"""R2: a balloon hangs in the middle of an older order, and then the guest's work comes.

As in scenarios/r02-full-release-through-a-stall.toml. The balloon really hangs: its device is made
deaf (the workload's order ``balloon hung``), the driver waits in the guest's kernel, and statistics
go on. The peer's rule is asked every second instead of at its own pace; that only helps it.
"""

import pytest

from aerostat.model.reasons import Reason
from aerostat.policy.params import PolicyName
from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.conftest import Balance
from lab.incidents.settings import RAM_BYTES, REAL, hasty, ours, peer

pytestmark = REAL

HELD_BYTES = 130 * MIB
OLDER_ORDER_BYTES = 110 * MIB
HOT_BYTES = 120 * MIB
BUDGET_BYTES = 2 * RAM_BYTES


def starve_bob_with_a_hung_balloon(guests: Guests) -> None:
    guests.execute("bob", "balloon", value=HELD_BYTES)
    guests.until(lambda: guests.actual_bytes("bob") == HELD_BYTES, "bob is shrunk")
    guests.order("bob", "balloon hung")
    guests.live_on(2)  # until the order has been taken
    guests.execute("bob", "balloon", value=OLDER_ORDER_BYTES)
    guests.order("bob", f"hot {HOT_BYTES}")
    before = guests.latest("bob")
    guests.until(
        lambda: guests.latest("bob").swap_in_bytes > before.swap_in_bytes + 10 * MIB,
        "bob thrashes",
    )
    assert guests.actual_bytes("bob") == HELD_BYTES, "its balloon moved"


@pytest.mark.incident("R2")
def test_a_stalled_balloon_does_not_turn_a_full_release_into_a_partial_one(
    guests: Guests, balance: Balance
) -> None:
    starve_bob_with_a_hung_balloon(guests)
    with balance(peer(PolicyName.BAND, BUDGET_BYTES, period_s=1.0), "bob") as balancer:
        balancer.until(lambda: bool(balancer.commands("bob")), "the peer helps bob")
        guests.live_on(2)
        partial = balancer.commands("bob")
        assert max(c.target_bytes for c in partial) < 0.8 * RAM_BYTES, balancer.account

        balancer.use(ours(BUDGET_BYTES, guard=hasty(stall_s=2.0)))
        balancer.until(lambda: len(balancer.commands("bob")) > len(partial), "bob is released")
        release = balancer.commands("bob")[len(partial)]
        assert release.target_bytes == RAM_BYTES, balancer.account
        assert release.reason is Reason.RELEASED_FOR_DISTRESS
        balancer.until(lambda: balancer.traces("bob")[-1].is_stalled, "the release stalls as well")
        guests.live_on(3)
        assert guests.actual_bytes("bob") == HELD_BYTES, "its balloon moved"
        later = balancer.commands("bob")[len(partial) :]
        assert {c.target_bytes for c in later} == {RAM_BYTES}, balancer.account

        guests.order("bob", "balloon works")
        guests.until(lambda: guests.actual_bytes("bob") == RAM_BYTES, "bob holds it all")
        guests.until(lambda: guests.latest("bob").served >= 990, "bob serves again")
