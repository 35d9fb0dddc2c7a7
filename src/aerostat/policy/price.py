"""What a guest pays for its memory, with a tax on what lies idle, and where all pay the same.

After C. A. Waldspurger, OSDI 2002, section 5.2. A byte in use costs one unit, an idle one ``1 / (1
- tax)``; the price is shares per unit of cost. Taking again and again from whoever pays least ends
where all pay the same; that level is found directly, as in ``policy.water``.
"""

from collections.abc import Sequence

from aerostat.policy.baseline import within
from aerostat.policy.columns import IntColumn, filled
from aerostat.policy.water import LEVEL_SCALE, next_level


def price(shares: int, held_bytes: float, active_ratio: float, tax_ratio: float) -> float:
    """Shares per unit of cost; a guest that holds nothing pays without bound.

    Args:
        shares: the guest's shares.
        held_bytes: what it holds, in bytes (or any other unit, pages say).
        active_ratio: 0..1, the part of it that is active.
        tax_ratio: 0..1, of idle memory.
    """
    if held_bytes <= 0.0:
        return float("inf")
    idle_cost = 1.0 / (1.0 - tax_ratio)
    return shares / (held_bytes * (active_ratio + idle_cost * (1.0 - active_ratio)))


def size_at(level: int, shares: int, active_bytes: int, tax_ratio: float) -> int:
    """The size in bytes at which a guest's cost per share is ``level``."""
    cost = level * shares // LEVEL_SCALE
    if cost <= active_bytes:
        return cost
    return active_bytes + int((cost - active_bytes) * (1.0 - tax_ratio))


def equal_price_sizes(
    shares: Sequence[int],
    active: Sequence[int],
    low: Sequence[int],
    high: Sequence[int],
    supply_bytes: int,
    tax_ratio: float,
) -> IntColumn:
    """Sizes within [low, high] whose sum fits the supply and at which everybody pays the same.

    Who has no shares gets ``low``. Where the lows alone exceed the supply, the lows are returned.
    """
    count = len(shares)
    cheapest, dearest, turn = 0, 1, 0
    for i in range(count):
        if shares[i] > 0:
            reach = int(high[i] / (1.0 - tax_ratio)) * LEVEL_SCALE // shares[i] + 1
            dearest = max(dearest, reach)
    level, total, rising = 0, 0, 0
    while dearest - cheapest > 1:
        level = next_level(cheapest, dearest, level, supply_bytes - total, rising, turn)
        total, rising = _sizes_at(level, shares, active, low, high, tax_ratio)
        if total <= supply_bytes:
            cheapest = level
        else:
            dearest = level
        turn += 1
    sizes = filled(0, count)
    for i in range(count):
        size = size_at(cheapest, shares=shares[i], active_bytes=active[i], tax_ratio=tax_ratio)
        sizes[i] = within(size, low[i], high[i])
    return sizes


def _sizes_at(
    level: int,
    shares: Sequence[int],
    active: Sequence[int],
    low: Sequence[int],
    high: Sequence[int],
    tax_ratio: float,
) -> tuple[int, int]:
    """All sizes at this level together, and about how fast they rise with it, as shares do."""
    total, rising = 0, 0.0
    for i in range(len(shares)):
        size = size_at(level, shares=shares[i], active_bytes=active[i], tax_ratio=tax_ratio)
        if low[i] < size < high[i]:
            rising += shares[i] if size <= active[i] else shares[i] * (1.0 - tax_ratio)
        total += within(size, low[i], high[i])
    return total, int(rising)
