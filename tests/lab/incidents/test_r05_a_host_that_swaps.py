"""R5: the host itself swaps, and what a squeezed guest swaps out comes in from the host's first.

As in scenarios/r05-a-host-that-swaps.toml, with two guests. A host that is short cannot be had in a
test without harm to others: so a part of this VM's memory is taken to the host's swap once, and the
host's need is a budget that the operator makes small. Once that has hurt it is made ample, for the
release, and then small again: how long is it before as much is asked for once more?
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.engine.params import EngineParams, GuardParams, GuardRule
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
AMPLE_BYTES = 2 * RAM_BYTES
SMALL_BUDGET_BYTES = 230 * MIB  # Ada needs 84 MiB of it, Bob's system and his hot set 158
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


def squeeze_until_it_swaps(guests: Guests) -> None:
    """Take from Bob bit by bit, as far as this kernel needs it, and give all back."""
    before = guests.latest("bob").swap_out_bytes
    target_bytes = TIGHT_BYTES
    while guests.latest("bob").swap_out_bytes == before:
        assert target_bytes > HOT_BYTES + SYSTEM_BYTES // 2, "bob swaps nothing"
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
    """From what was given back to the next take that goes as far as the one that hurt."""
    waits: list[float] = []
    hurt_bytes, given_s = None, 0.0
    for move in balancer.commands("bob"):
        if move.taken_bytes < 0:
            hurt_bytes = move.before_bytes if hurt_bytes is None else hurt_bytes
            given_s = move.at_s
        elif hurt_bytes is not None and move.target_bytes <= hurt_bytes:
            waits.append(move.at_s - given_s)
            hurt_bytes = None
    return waits


def squeeze_until_it_hurts(balancer: Balancer) -> None:
    """The budget is small; when Bob is in distress it becomes ample, and he has his memory back."""
    began = len(balancer.rounds)
    balancer.use(params(SMALL_BUDGET_BYTES))

    def moves_since(is_take: bool) -> bool:
        moves = [c for c in balancer.commands("bob") if c.round > began]
        return any((move.taken_bytes > 0) == is_take for move in moves)

    balancer.until(lambda: moves_since(is_take=True), "bob is asked")
    balancer.until(lambda: balancer.traces("bob")[-1].is_distressed, "bob is hurt")
    balancer.use(params(AMPLE_BYTES))
    balancer.until(lambda: moves_since(is_take=False), "bob has it back")
    balancer.until(lambda: not balancer.traces("bob")[-1].is_distressed, "bob is well")


def params(budget_bytes: int) -> EngineParams:
    """Ours, without the rule that asks nobody for what lies in the host's swap."""
    return ours(budget_bytes, guard=GUARD, without=GuardRule.HOST_SWAP)


@pytest.mark.incident("R5")
@pytest.mark.usefixtures("host_swap")
def test_on_a_host_that_swaps_squeezing_backs_off(
    guests: Guests, balance: Balance, tmp_path: Path
) -> None:
    fill(guests)
    swap_on_the_host(guests, tmp_path)
    with balance(params(AMPLE_BYTES), "ada", "bob") as balancer:
        squeeze_until_it_hurts(balancer)
        squeeze_until_it_hurts(balancer)
        balancer.use(params(SMALL_BUDGET_BYTES))
        balancer.until(lambda: len(waits_s(balancer)) >= 2, "bob is asked a third time")
    first_s, second_s = waits_s(balancer)[:2]
    assert first_s >= FIRST_WAIT_S, balancer.account
    assert second_s >= 2 * FIRST_WAIT_S, balancer.account
