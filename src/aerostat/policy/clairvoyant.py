"""``clairvoyant``: gives every guest just what it needs now and next; for experiments only.

The bound that no real policy can pass, under the same actuators and the same supply. It knows the
true demand of this interval and of the next one, so that memory is there before it is needed.

Rule, every second: by weighted max-min fairness, min for all; then the demand of now; then the
greater of now and next; then what each holds already, so that nothing moves without need.

Known faults: it cannot exist. It is a bound for a horizon of one interval: with slow balloons a
longer sight would be worth more. It counts demand alone, and so gives nothing for page cache.

Left out: nothing; but a guest whose demand it is not told keeps what it holds.
"""

from aerostat.policy.baseline import (
    GuestsView,
    HostView,
    NoMemory,
    is_placeable,
    keep_all,
    left_for_placeable,
    within,
)
from aerostat.policy.columns import ABSENT, IntColumn, copied, filled
from aerostat.policy.water import fill

PERIOD_S = 1.0


def decide(host: HostView, guests: GuestsView, _memory: NoMemory, out_target: IntColumn) -> None:
    """Write a target for every guest."""
    keep_all(guests, out_target)
    count = len(out_target)
    supply = left_for_placeable(host, guests)
    weight = filled(1, count)
    share = filled(0, count)
    for i in range(count):
        weight[i] = max(1, guests.weight[i])
        if is_placeable(guests, i):
            share[i] = guests.min_bytes[i] if is_told(guests, i) else guests.ordered_bytes[i]
    fill(share, _demands(guests, share, with_next=False), weight, 0, len(share), supply)
    fill(share, _demands(guests, share, with_next=True), weight, 0, len(share), supply)
    fill(share, _held(guests, share), weight, 0, len(share), supply)
    for i in range(count):
        if is_placeable(guests, i):
            out_target[i] = share[i]


def is_told(guests: GuestsView, i: int) -> bool:
    """Whether the experiment says what this guest needs now."""
    return guests.demand_bytes[i] != ABSENT


def _demands(guests: GuestsView, share: IntColumn, with_next: bool) -> IntColumn:
    demands = copied(share)
    for i in range(len(share)):
        if is_placeable(guests, i) and is_told(guests, i):
            wanted = guests.demand_bytes[i]
            if with_next:
                wanted = max(wanted, guests.next_demand_bytes[i])
            demands[i] = within(wanted, guests.min_bytes[i], guests.max_bytes[i])
    return demands


def _held(guests: GuestsView, share: IntColumn) -> IntColumn:
    held = copied(share)
    for i in range(len(share)):
        if is_placeable(guests, i) and is_told(guests, i):
            held[i] = max(share[i], min(guests.ordered_bytes[i], guests.max_bytes[i]))
    return held
