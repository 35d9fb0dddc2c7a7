"""R4: a guest is idle, its use near zero, and wakes with the working set it had.

As in scenarios/r04-idle-then-awake.toml, but idle for seconds instead of hours, and in a budget
that is a little less than what both guests hold: so that there is something to get wrong.
"""

import pytest

from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.balancer import turns
from lab.incidents.conftest import Balance
from lab.incidents.settings import BARE, RAM_BYTES, REAL, SMALL_BYTES, SYSTEM_BYTES, ours

pytestmark = REAL

HOT_BYTES = 110 * MIB
BUDGET_BYTES = 2 * RAM_BYTES - 90 * MIB


def work(guests: Guests) -> None:
    guests.order(BARE, f"hot {HOT_BYTES}")
    guests.until(lambda: guests.latest(BARE).heap_bytes > 0.9 * HOT_BYTES, "it works")


@pytest.mark.incident("R4")
def test_a_guest_that_was_idle_wakes_without_a_stall(guests: Guests, balance: Balance) -> None:
    guests.order(BARE, "rate 2000")
    work(guests)
    with balance(ours(BUDGET_BYTES), BARE, "ada") as balancer:
        balancer.until_found(BARE, "ada")
        guests.order(BARE, f"hot {SMALL_BYTES}")
        balancer.until(
            lambda: (
                guests.actual_bytes(BARE) + guests.actual_bytes("ada") <= BUDGET_BYTES + 16 * MIB
            ),
            "both are in their budget",
        )
        guests.live_on(6)
        idle = balancer.commands(BARE)
        work(guests)
        guests.live_on(1)
    assert all(c.target_bytes >= SYSTEM_BYTES + HOT_BYTES for c in idle), "it collapses"
    assert turns(idle) <= 1, "hunting while idle"
    assert guests.latest(BARE).oom_kills == 0
    assert guests.latest(BARE).available_bytes > 16 * MIB, balancer.account
