"""R7: a guest that reads files has hardly anything free, and most of its memory available.

As in scenarios/r07-cache-is-not-need.toml, at an eighth of the size: the reader's files lie on a
disk of its own and in its page cache. The peer's rule is asked every second instead of every ten;
that only helps it.
"""

import pytest

from aerostat.model.reasons import Reason
from aerostat.policy.params import PolicyName
from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.conftest import Balance
from lab.incidents.settings import RAM_BYTES, REAL, ours, peer

pytestmark = REAL

FILES_BYTES = 150 * MIB
WORKER_BYTES = 130 * MIB
HOT_BYTES = 130 * MIB
BUDGET_BYTES = RAM_BYTES + WORKER_BYTES


def read_files(guests: Guests) -> None:
    """Cal reads its files until all that it could have free is cache; ada has what it needs."""
    guests.execute("ada", "balloon", value=WORKER_BYTES)
    guests.order("cal", f"reads {FILES_BYTES}")
    guests.until(lambda: guests.latest("cal").free_bytes < 35 * MIB, "the files are in the cache")
    guests.until(lambda: guests.actual_bytes("ada") == WORKER_BYTES, "ada is shrunk")


@pytest.mark.incident("R7")
def test_cache_is_not_starvation_and_makes_room_for_a_working_set(
    guests: Guests, balance: Balance
) -> None:
    read_files(guests)
    with balance(ours(BUDGET_BYTES), "ada", "cal") as balancer:
        balancer.until_found("ada", "cal")
        guests.order("ada", f"hot {HOT_BYTES}")
        balancer.until(
            lambda: guests.actual_bytes("cal") <= RAM_BYTES - 50 * MIB, "cal's cache is taken"
        )
        balancer.until(lambda: guests.latest("ada").heap_bytes > 0.95 * HOT_BYTES, "ada works")
        balancer.until(lambda: guests.latest("ada").served >= 990, "ada serves")
    assert Reason.RELEASED_FOR_DISTRESS not in balancer.reasons("cal"), balancer.account
    assert not any(trace.is_distressed for trace in balancer.traces("cal")), "it is not starving"


@pytest.mark.incident("R7")
def test_a_rule_that_takes_cache_for_need_leaves_the_worker_to_its_swap(
    guests: Guests, balance: Balance
) -> None:
    read_files(guests)
    with balance(peer(PolicyName.SHARES, BUDGET_BYTES, period_s=1.0), "ada", "cal") as balancer:
        balancer.until_found("ada", "cal")
        before = guests.latest("ada").swap_out_bytes
        guests.order("ada", f"hot {HOT_BYTES}")
        balancer.until(lambda: guests.latest("ada").swap_out_bytes > before + 20 * MIB, "ada swaps")
        guests.live_on(2)
        assert guests.actual_bytes("cal") > RAM_BYTES - 20 * MIB, balancer.account
