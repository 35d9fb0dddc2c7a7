"""``idle_tax``: memory goes to who pays most for it, and idle memory costs more (VMware ESX, 2002).

Source: C. A. Waldspurger, "Memory Resource Management in VMware ESX Server", OSDI 2002, sections 5
(shares, idle tax, sampling) and 6 (host states). Restated here in our own words.

Rule: a guest with S shares that holds P bytes, of which the fraction f is active, pays ``S / (P *
(f + k * (1 - f)))`` for each, ``k = 1 / (1 - tax)``; with a tax of 75 % an idle byte costs four
times an active one. While memory is wanted it is taken from whoever pays least and is above its
min. f is the greatest of a slow average, a fast one, and the fast one with the period underway, so
that a rise is believed soon and a fall late. By its free memory the host is high, soft, hard or
low, entered below 4, 2 and 1 %, left above 6, 4 and 2 %. No balloon takes more than 65 % of a
guest.

Period: 15 s; averages close every 30 s.

Known faults: it knows how much of what a guest has is active, but not what it lacks: a guest never
grows because it swaps; fractions that are averages lag.

Approximated: revocation happens where guests fault memory in; a balloon never sees such a fault,
so memory is taken to be wanted always, and targets are those at which every guest pays the same,
where no further revocation would take place. In the high state targets move both ways, in the
others down only: ballooning is soft's measure, while paging (hard) and blocking guests (low) are
not a policy's. Active memory is sampled by invalidating mappings there; here it is what the guest
uses (``actual - available``) unless its active ratio is known. How much the two averages weigh is
not published.
"""

from typing import NamedTuple

from aerostat.policy.active import ActiveMemory, estimate_active, new_active_memory, observe_active
from aerostat.policy.baseline import (
    GuestsView,
    HostView,
    is_placeable,
    keep_all,
    left_for_placeable,
)
from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn, filled
from aerostat.policy.price import equal_price_sizes

PERIOD_S = 15.0
TAX_RATIO = 0.75
BALLOON_RATIO_MAX = 0.65
STATE_HIGH = 0
STATE_SOFT = 1
STATE_HARD = 2
STATE_LOW = 3
HIGH_FREE_RATIO = 0.06
"""Free share of the host that is aimed at; the states below begin at these:"""
SOFT_FREE_RATIO = 0.04
HARD_FREE_RATIO = 0.02
LOW_FREE_RATIO = 0.01


class IdleTaxMemory(NamedTuple):
    """One entry a guest; the host's state is repeated in each, so that rows can be moved."""

    state: IntColumn  # of the host
    slow_bytes: FloatColumn  # these are those of policy.active
    fast_bytes: FloatColumn
    period_sum_bytes: FloatColumn
    period_samples: IntColumn
    period_since_s: FloatColumn


def new_memory(count: int) -> IdleTaxMemory:
    """Memory of guests nobody has seen yet, on a host that has enough."""
    return IdleTaxMemory([STATE_HIGH] * count, *new_active_memory(count))


def decide(
    host: HostView, guests: GuestsView, memory: IdleTaxMemory, out_target: IntColumn
) -> None:
    """Write a target for every guest; one without any sample is left alone."""
    keep_all(guests, out_target)
    count = len(out_target)
    state = _state_now(host, memory)
    samples = ActiveMemory(
        memory.slow_bytes,
        memory.fast_bytes,
        memory.period_sum_bytes,
        memory.period_samples,
        memory.period_since_s,
    )
    active = filled(ABSENT, count)
    for i in range(count):
        memory.state[i] = state
        observe_active(guests, samples, i, now_s=host.now_s)
        active[i] = estimate_active(samples, i)
    targets = entitled_bytes(host, guests, active)
    for i in range(count):
        if targets[i] != ABSENT and (state == STATE_HIGH or targets[i] < out_target[i]):
            out_target[i] = targets[i]


def next_state(state: int, free_ratio: float) -> int:
    """The host's state: entered as free memory falls below a line, left above the line before."""
    falling = _state_at(free_ratio, SOFT_FREE_RATIO, HARD_FREE_RATIO, LOW_FREE_RATIO)
    rising = _state_at(free_ratio, HIGH_FREE_RATIO, SOFT_FREE_RATIO, HARD_FREE_RATIO)
    return max(falling, min(state, rising))


def entitled_bytes(host: HostView, guests: GuestsView, active: IntColumn) -> IntColumn:
    """Sizes at which everybody pays the same; ``ABSENT`` for guests that stay where they are."""
    count = len(active)
    supply = _supply_bytes(host, guests)
    shares = filled(0, count)
    low = filled(0, count)
    high = filled(0, count)
    for i in range(count):
        if not is_placeable(guests, i):
            continue
        if active[i] == ABSENT:
            low[i] = guests.ordered_bytes[i]
            high[i] = low[i]
            continue
        high[i] = guests.max_bytes[i]
        unballooned = int((1.0 - BALLOON_RATIO_MAX) * high[i])
        low[i] = min(high[i], max(guests.min_bytes[i], unballooned))
        shares[i] = max(0, guests.weight[i])
    sizes = equal_price_sizes(shares, active, low, high, supply_bytes=supply, tax_ratio=TAX_RATIO)
    for i in range(count):
        if not is_placeable(guests, i) or active[i] == ABSENT:
            sizes[i] = ABSENT
    return sizes


def _supply_bytes(host: HostView, guests: GuestsView) -> int:
    """What the placeable may hold so that the host's free share is back at the high line."""
    supply = left_for_placeable(host, guests)
    if ABSENT in (host.available_bytes, host.total_bytes):
        return supply
    held = host.available_bytes - int(HIGH_FREE_RATIO * host.total_bytes)
    for i in range(len(guests.actual_bytes)):
        if is_placeable(guests, i):
            held += guests.actual_bytes[i]
    return min(supply, held)


def _state_now(host: HostView, memory: IdleTaxMemory) -> int:
    state = STATE_HIGH
    for i in range(len(memory.state)):
        state = max(state, memory.state[i])
    if host.available_bytes == ABSENT or host.total_bytes <= 0:
        return state
    return next_state(state, free_ratio=host.available_bytes / host.total_bytes)


def _state_at(free_ratio: float, soft: float, hard: float, low: float) -> int:
    if free_ratio >= soft:
        return STATE_HIGH
    if free_ratio >= hard:
        return STATE_SOFT
    return STATE_HARD if free_ratio >= low else STATE_LOW
