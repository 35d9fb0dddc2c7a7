"""R6: a guest swaps out again and again, and between these bursts it looks well.

As in scenarios/r06-swaps-while-looking-well.toml, at a quarter of the size; bursts follow each
other by what the guest does and not by the clock. Its kernel's own pressure is not looked at: no
agent tells the host of it.
"""

import pytest

from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.conftest import Balance
from lab.incidents.settings import RAM_BYTES, REAL, SMALL_BYTES, SYSTEM_BYTES, ours

pytestmark = REAL

LEFT_BYTES = 125 * MIB
BURST_BYTES = 100 * MIB
BUSY_BYTES = 130 * MIB
BUDGET_BYTES = RAM_BYTES + 190 * MIB  # not enough for both to have all


def burst(guests: Guests) -> int:
    """Bob needs much for a moment; returns how much it swapped out for that."""
    before = guests.latest("bob").swap_out_bytes
    guests.order("bob", f"hot {BURST_BYTES}")
    guests.until(
        lambda: (
            guests.latest("bob").swap_out_bytes > before + 8 * MIB
            or guests.latest("bob").heap_bytes > 0.9 * BURST_BYTES
        ),
        "bob has its burst",
    )
    guests.order("bob", f"hot {SMALL_BYTES}")
    guests.until(lambda: guests.latest("bob").heap_bytes <= SMALL_BYTES, "the burst is over")
    return guests.latest("bob").swap_out_bytes - before


@pytest.mark.incident("R6")
def test_a_guest_that_swaps_steadily_is_short_however_well_it_looks(
    guests: Guests, balance: Balance
) -> None:
    guests.order("bob", "rate 3000")
    guests.order("ada", "rate 3000")
    guests.order("ada", f"hot {BUSY_BYTES}")
    guests.execute("bob", "balloon", value=LEFT_BYTES)
    guests.until(lambda: guests.actual_bytes("bob") == LEFT_BYTES, "bob is shrunk")
    assert burst(guests) >= 8 * MIB
    assert guests.latest("bob").available_bytes > 25 * MIB, "it does not look well"
    with balance(ours(BUDGET_BYTES), "ada", "bob") as balancer:
        balancer.until_found("bob")
        swapped = [burst(guests) for _ in range(5)]
    takes = [command for command in balancer.commands("bob") if command.taken_bytes > 0]
    # As distress, or as surplus where that came first: what counts is that it swaps no more.
    assert any(command.taken_bytes < 0 for command in balancer.commands("bob")), balancer.account
    assert [take for take in takes if take.swap_out_rate > 0] == [], balancer.account
    assert all(take.target_bytes >= SYSTEM_BYTES + BURST_BYTES for take in takes), balancer.account
    assert swapped[-1] <= 2 * MIB, f"it goes on swapping: {swapped}"
