"""R11: a guest needs much more within seconds, and again when the others are busy.

As in scenarios/r11-a-burst-and-another.toml, at a twelfth of the size: a guest that idles with what
is fair needs nearly all of its RAM, as fast as an emulated processor can fill it.
"""

import pytest

from aerostat.model.reasons import Bound
from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.balancer import Balancer, Command
from lab.incidents.conftest import Balance
from lab.incidents.settings import REAL, SMALL_BYTES, ours

pytestmark = REAL

BURST_BYTES = 150 * MIB
BUSY_BYTES = 60 * MIB
SHARE_BYTES = 190 * MIB
RESERVE_BYTES = 70 * MIB
SWAPPED_BYTES_MAX = 28 * MIB  # by which the burst is larger than what it had
BUDGET_BYTES = 3 * SHARE_BYTES + RESERVE_BYTES


def until_reserve_is_there(guests: Guests, balancer: Balancer) -> None:
    most_bytes = 3 * SHARE_BYTES + 8 * MIB
    balancer.until(
        lambda: sum(guests.actual_bytes(name) for name in ("ada", "bob", "cal")) <= most_bytes,
        "the host has its reserve",
    )


def burst(guests: Guests, balancer: Balancer) -> int:
    """Bob needs much at once; returns what it swapped out for that."""
    before = guests.latest("bob").swap_out_bytes
    guests.order("bob", f"hot {BURST_BYTES}")
    balancer.until(lambda: guests.latest("bob").heap_bytes >= 0.9 * BURST_BYTES, "the burst")
    guests.live_on(1)
    swapped_bytes = guests.latest("bob").swap_out_bytes - before
    guests.order("bob", f"hot {SMALL_BYTES}")
    guests.until(lambda: guests.latest("bob").heap_bytes <= SMALL_BYTES, "the burst is over")
    return swapped_bytes


def is_whole(raised: Command) -> bool:
    """Whether a raise went all the way at once, to what was wished or to the host's end."""
    assert raised.wish_bytes is not None
    return raised.target_bytes > raised.wish_bytes - MIB or raised.bound is Bound.SUPPLY


@pytest.mark.incident("R11")
def test_a_burst_is_served_in_one_step_and_so_the_second_time(
    guests: Guests, balance: Balance
) -> None:
    guests.order("bob", "rate 5000")
    params = ours(BUDGET_BYTES, burst_reserve_bytes=RESERVE_BYTES)
    with balance(params, "ada", "bob", "cal") as balancer:
        until_reserve_is_there(guests, balancer)
        assert burst(guests, balancer) <= SWAPPED_BYTES_MAX, balancer.account
        for name in ("ada", "cal"):
            guests.order(name, f"hot {BUSY_BYTES}")
        until_reserve_is_there(guests, balancer)
        assert burst(guests, balancer) <= SWAPPED_BYTES_MAX, balancer.account
    raises = [command for command in balancer.commands("bob") if command.taken_bytes < 0]
    assert raises
    assert all(is_whole(raised) for raised in raises), balancer.account
    assert [guests.latest(name).oom_kills for name in guests.names] == [0] * len(guests.names)
