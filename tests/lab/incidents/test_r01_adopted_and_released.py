"""R1: a guest was shrunk at boot below its working set, and nothing ever gave it back.

As in scenarios/r01-adopted-and-released.toml, at an eighth of the size.
"""

import pytest

from aerostat.model.reasons import Reason
from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.conftest import Balance
from lab.incidents.settings import RAM_BYTES, REAL, ours

pytestmark = REAL

LEFT_BYTES = 110 * MIB
HOT_BYTES = 140 * MIB
BUDGET_BYTES = 2 * RAM_BYTES


def starve_bob(guests: Guests) -> None:
    """Somebody sets a minimum, and goes away; then the guest's work comes."""
    guests.execute("bob", "balloon", value=LEFT_BYTES)
    guests.until(lambda: guests.actual_bytes("bob") == LEFT_BYTES, "bob is shrunk")
    guests.order("bob", f"hot {HOT_BYTES}")
    before = guests.latest("bob")
    guests.until(
        lambda: guests.latest("bob").swap_in_bytes > before.swap_in_bytes + 20 * MIB,
        "bob thrashes",
    )


@pytest.mark.incident("R1")
def test_a_guest_found_starving_is_let_go_within_one_sample(
    guests: Guests, balance: Balance
) -> None:
    starve_bob(guests)
    with balance(ours(BUDGET_BYTES), "ada", "bob") as balancer:
        balancer.until(lambda: bool(balancer.commands("bob")), "bob is helped")
        guests.until(lambda: guests.actual_bytes("bob") == RAM_BYTES, "bob has it all")
        guests.until(lambda: guests.latest("bob").served >= 990, "bob serves again")
    release = balancer.commands("bob")[0]
    assert (release.before_bytes, release.target_bytes) == (LEFT_BYTES, RAM_BYTES)
    assert release.reason is Reason.RELEASED_FOR_DISTRESS
    assert release.samples <= 2, "the second sample shows that it swaps"
    assert balancer.commands("ada") == [], "ada paid for it"
