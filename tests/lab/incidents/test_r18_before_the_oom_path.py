"""R18: deflate-on-oom is on, most of the guest is in the balloon, and its work wants the rest.

As in scenarios/r18-before-the-oom-path.toml, at a quarter of the size. Here nobody balances until
deflate-on-oom has fired for the first time: otherwise our engine gives the guest what it needs long
before, and there is nothing to see. By itself it would get a MiB with each failed allocation.
"""

import pytest

from aerostat.model.reasons import Reason
from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.conftest import Balance
from lab.incidents.settings import BARE, RAM_BYTES, REAL, ours

pytestmark = REAL

LEFT_BYTES = 100 * MIB
HOT_BYTES = 150 * MIB
BUDGET_BYTES = 2 * RAM_BYTES


@pytest.mark.incident("R18")
def test_a_guest_is_released_by_its_pressure_and_does_not_fight_the_standing_target(
    guests: Guests, balance: Balance
) -> None:
    guests.execute(BARE, "balloon", value=LEFT_BYTES)
    guests.until(lambda: guests.actual_bytes(BARE) == LEFT_BYTES, "it is shrunk")
    guests.order(BARE, "rate 300")
    guests.order(BARE, f"hot {HOT_BYTES}")
    guests.until(lambda: guests.actual_bytes(BARE) > LEFT_BYTES, "deflate-on-oom helps it along")
    with balance(ours(BUDGET_BYTES), BARE, "ada") as balancer:
        balancer.until(lambda: bool(balancer.commands(BARE)), "it is helped")
        balancer.until(lambda: guests.actual_bytes(BARE) == RAM_BYTES, "it has it all")
        guests.order(BARE, "rate 2000")
        balancer.until(lambda: guests.latest(BARE).heap_bytes > 0.9 * HOT_BYTES, "it works")
        assert len(balancer.commands(BARE)) == 1, balancer.account
    release = balancer.commands(BARE)[0]
    assert release.before_bytes < RAM_BYTES - 60 * MIB, "it had nearly helped itself"
    assert release.target_bytes == RAM_BYTES, balancer.account
    assert release.reason is Reason.RELEASED_FOR_DISTRESS
    assert guests.latest(BARE).oom_kills == 0
