"""R5: the host itself swaps, and what a squeezed guest swaps out comes in from the host's first.

As in scenarios/r05-a-host-that-swaps.toml, with two guests. A host that is short cannot be had in a
test without harm to others: so a part of this VM's memory is taken to the host's swap once, and a
hungry neighbour stands for the host's need. What is tried of the squeezed one is kept aside for it.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from aerostat.engine.params import GuardParams, GuardRule
from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.host_swap import HostSwap, SwapState
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_reclaim import ReclaimState, VmReclaim
from aerostat.units import MIB
from lab.guests_in_thread import Guests
from lab.incidents.balancer import Balancer
from lab.incidents.conftest import Balance
from lab.incidents.settings import RAM_BYTES, REAL, SYSTEM_BYTES, hasty, ours

pytestmark = REAL

HOT_BYTES = 90 * MIB
COLD_BYTES = 40 * MIB
BUDGET_BYTES = 340 * MIB  # half of it is little more than Bob's system and his hot set
HUNGRY_BYTES = 200 * MIB  # more than Ada's RAM leaves
IN_HOST_SWAP_BYTES = 60 * MIB
TIGHT_BYTES = 200 * MIB  # little more than Bob uses with both parts
FIRST_WAIT_S = 20.0  # longer, doubled, than a guest must have been at rest to be asked at all
GUARD: GuardParams = hasty(
    distress_quiet_s=1.0,
    cooldown_s=1.0,
    step_ratio_max=0.12,
    stall_retry_s=FIRST_WAIT_S,
    stall_retry_s_max=2 * FIRST_WAIT_S,
)


@pytest.fixture
def host_swap(tmp_path: Path) -> Iterator[None]:
    """The host swaps to a file of ours."""
    kernel = Kernel()
    swap = HostSwap(kernel, UndoLog(tmp_path / "swap.undo", kernel))
    try:
        swap.apply(SwapState(path=tmp_path / "host.swap", size_bytes=512 * MIB))
    except TechniqueError as error:
        swap.restore()
        pytest.skip(f"this host lends no swap: {error}")
    yield
    assert swap.restore() == []


def fill(guests: Guests) -> None:
    """Bob holds a hot and a cold part, and has shown that it can swap."""
    guests.order("bob", "keep cold")
    guests.order("bob", "rate 4000")
    guests.order("bob", f"hot {HOT_BYTES + COLD_BYTES}")
    guests.until(
        lambda: guests.latest("bob").heap_bytes > 0.95 * (HOT_BYTES + COLD_BYTES), "bob fills"
    )
    guests.order("bob", "rate 1000")
    guests.order("bob", f"hot {HOT_BYTES}")
    squeeze_until_it_swaps(guests)
    guests.order("ada", f"hot {HUNGRY_BYTES}")


def squeeze_until_it_swaps(guests: Guests) -> None:
    """Take from Bob bit by bit, as far as this kernel needs it, and give all back."""
    before = guests.latest("bob").swap_out_bytes
    target_bytes = TIGHT_BYTES
    while guests.latest("bob").swap_out_bytes == before:
        assert target_bytes > HOT_BYTES + SYSTEM_BYTES // 2, (
            "bob swaps nothing"
        )
        guests.execute("bob", "balloon", value=target_bytes)
        guests.live_on(3)
        target_bytes -= 8 * MIB
    guests.execute("bob", "balloon", value=RAM_BYTES)


def swap_on_the_host(guests: Guests, directory: Path) -> None:
    """Take a part of the VM's memory to the host's swap."""
    group = guests.cgroup("bob")
    if group is None:
        pytest.skip("memory of one VM alone is taken through its cgroup, and there is none")
    kernel = Kernel()
    undo = UndoLog(directory / "reclaim.undo", kernel)
    reclaim = VmReclaim(kernel, undo, group.path, is_v2=group.version == 2)
    reclaim.apply(ReclaimState(take_bytes=IN_HOST_SWAP_BYTES))
    status = Path(f"/proc/{guests.pid('bob')}/status").read_text()
    in_swap = parse_kilobytes(status, name="VmSwap")
    assert in_swap is not None
    assert in_swap > IN_HOST_SWAP_BYTES // 2


def waits_s(balancer: Balancer) -> list[float]:
    """From each release for a take that hurt to the next take."""
    moves = balancer.commands("bob")
    return [
        after.at_s - before.at_s
        for before, after in pairwise(moves)
        if before.taken_bytes < 0 < after.taken_bytes
    ]


@pytest.mark.incident("R5")
@pytest.mark.usefixtures("host_swap")
def test_on_a_host_that_swaps_squeezing_backs_off(
    guests: Guests, balance: Balance, tmp_path: Path
) -> None:
    fill(guests)
    swap_on_the_host(guests, tmp_path)
    # What lies in the host's swap would else not be asked for, and nobody be hurt by asking.
    params = ours(BUDGET_BYTES, guard=GUARD, without=GuardRule.HOST_SWAP)
    with balance(params, "ada", "bob") as balancer:
        balancer.until(lambda: len(waits_s(balancer)) >= 1, "bob is hurt, and asked again")
        balancer.until(lambda: len(waits_s(balancer)) >= 2, "bob is hurt twice")
    first_s, second_s = waits_s(balancer)[:2]
    assert first_s >= FIRST_WAIT_S, balancer.account
    assert second_s >= 2 * FIRST_WAIT_S, balancer.account
