"""``slack``: hand out all that nobody uses, by how far each is from max: the rule to beat.

Source: the causal baseline of oversubscription studies; the scale to measure a learned policy by.
It is written down in docs/policies.md.

Rule, every 10 s: each guest is given what it visibly uses. What is left of the supply is divided
in proportion to what each could still take, up to max; a guest at its limit counts with four times
its max, because how much more it wants cannot be seen. What a cap leaves over goes to the others.

Known faults: hands out all slack, so the first guest to rise needs memory taken from another, and
it leans on fast balloons; page cache counts for nothing; no shares, no calm, no feedback from
swap, so a guest that swapped out looks as if it used less.

Approximated: "uses" is ``actual - available``, and "at its limit" means less than 5 % available,
since no kernel ever uses the last page. A guest without statistics keeps what it has.
"""

from aerostat.policy.baseline import (
    GuestsView,
    HostView,
    NoMemory,
    is_placeable,
    keep_all,
    left_for_placeable,
    used_bytes,
    within,
)
from aerostat.policy.columns import ABSENT, IntColumn, filled
from aerostat.policy.water import fill, total_of

PERIOD_S = 10.0
AT_LIMIT_RATIO = 0.05
AT_LIMIT_FACTOR = 4


def decide(host: HostView, guests: GuestsView, _memory: NoMemory, out_target: IntColumn) -> None:
    """Write a target for every guest."""
    keep_all(guests, out_target)
    count = len(out_target)
    base = filled(0, count)
    cap = filled(0, count)
    appetite = filled(0, count)
    for i in range(count):
        if not is_placeable(guests, i):
            continue
        used = used_bytes(guests, i)
        if used == ABSENT:
            base[i] = cap[i] = guests.ordered_bytes[i]
            continue
        cap[i] = guests.max_bytes[i]
        base[i] = within(used, guests.min_bytes[i], cap[i])
        appetite[i] = cap[i] - base[i]
        if guests.available_bytes[i] < AT_LIMIT_RATIO * guests.actual_bytes[i]:
            appetite[i] = AT_LIMIT_FACTOR * cap[i]
    supply = left_for_placeable(host, guests)
    slack = supply - total_of(base, 0, count)
    if slack >= 0:
        pour(base, cap, appetite, slack=slack)
    else:
        base = _cut_bytes(guests, base, supply=supply)
    for i in range(count):
        if is_placeable(guests, i):
            out_target[i] = base[i]


def pour(held: IntColumn, cap: IntColumn, appetite: IntColumn, slack: int) -> None:
    """Add the slack to ``held`` in place, by appetite, up to the caps."""
    while slack > 0:
        total = 0
        for i in range(len(held)):
            if held[i] < cap[i]:
                total += appetite[i]
        if total == 0:
            return
        poured = 0
        for i in range(len(held)):
            if held[i] < cap[i]:
                part = min(cap[i] - held[i], int(slack * (appetite[i] / total)))
                held[i] += part
                poured += part
        if poured == 0:  # what is left is less than a byte for each
            return
        slack -= min(poured, slack)


def _cut_bytes(guests: GuestsView, base: IntColumn, supply: int) -> IntColumn:
    """Where not even what is used fits: the mins, and the rest alike."""
    share = filled(0, len(base))
    for i in range(len(base)):
        known = is_placeable(guests, i) and used_bytes(guests, i) != ABSENT
        share[i] = min(base[i], guests.min_bytes[i]) if known else base[i]
    fill(share, base, filled(1, len(base)), 0, len(share), supply)
    return share
