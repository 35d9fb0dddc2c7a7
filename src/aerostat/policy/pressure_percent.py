"""``pressure_percent``: demand and a buffer; pressure is levelled where memory is short.

An **approximation** of Hyper-V Dynamic Memory, whose balancer is not public. Sources: the guest's
side in Linux, ``drivers/hv/hv_balloon.c`` (report, floor, units), and Microsoft's "Hyper-V Dynamic
Memory Overview" and "Configuration Guide" (pressure, buffer, weight). Restated here in our own
words.

Rule, on reports every second from 45 s after a guest appeared: pressure is demand over what is
assigned; each guest shall have its demand and a buffer of 20 % (a pressure of 83 %), within [min,
max] and never below a floor that follows its size. Where that does not fit, pressure is levelled
among guests, biased by weight.

Known faults: commit charge, the real demand, is not a working set, and a program that reserves
much looks needy; demand beyond what is assigned shows late; there is no other sign of distress.

Approximated: demand is what the guest uses (``actual - available``), for commit is not among a
balloon's statistics; so what was swapped out is not in it. Since that includes the kernel, the
floor is not added to it, as the driver does, but is a lower bound alone. How weight biases the
levelling (here: in proportion) and how slowly memory is taken back (here: a sixteenth of what is
above, a time) are ours.
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
from aerostat.policy.columns import ABSENT, IntColumn, copied, filled
from aerostat.policy.water import fill
from aerostat.units import MIB

PERIOD_S = 1.0
SETTLE_S = 45.0
BUFFER_RATIO = 0.20
UNIT_BYTES = 2 * MIB
FALL_DIVISOR = 16


def decide(host: HostView, guests: GuestsView, _memory: NoMemory, out_target: IntColumn) -> None:
    """Write a target for every guest; one that does not report is left alone."""
    keep_all(guests, out_target)
    count = len(out_target)
    share = copied(guests.ordered_bytes)
    desired = copied(guests.ordered_bytes)
    lingering = copied(guests.ordered_bytes)
    weight = filled(1, count)
    supply = left_for_placeable(host, guests)
    for i in range(count):
        if not is_placeable(guests, i):
            share[i] = desired[i] = lingering[i] = 0
        elif is_reporting(guests, i, now_s=host.now_s):
            demand = used_bytes(guests, i)
            share[i] = floor_of(guests, i)
            desired[i] = within(desired_bytes(demand), share[i], guests.max_bytes[i])
            lingering[i] = _lingering_bytes(guests, i, desired[i])
            weight[i] = max(1, demand // MIB) * max(1, guests.weight[i])
    fill(share, desired, weight, 0, len(share), supply)
    fill(share, lingering, filled(1, count), 0, len(share), supply)
    for i in range(count):
        if is_placeable(guests, i):
            out_target[i] = share[i]


def desired_bytes(demand: int, buffer_ratio: float = BUFFER_RATIO) -> int:
    """Demand with its buffer, in whole units of assignment, rounded up."""
    return -(-int(demand * (1.0 + buffer_ratio)) // UNIT_BYTES) * UNIT_BYTES


def pressure_percent(demand: int, assigned: int) -> float:
    """Demand in percent of what is assigned; 0 where nothing is."""
    return 0.0 if assigned <= 0 else demand / assigned * 100.0


def kernel_floor_mib(ram_mib: int) -> int:
    """What the guest's driver does not go below, for a guest of so much RAM."""
    if ram_mib < 128:
        return 8 + ram_mib // 2
    if ram_mib < 512:
        return 40 + ram_mib // 4
    if ram_mib < 2048:
        return 104 + ram_mib // 8
    if ram_mib < 8192:
        return 232 + ram_mib // 16
    return 488 + ram_mib // 32


def floor_of(guests: GuestsView, i: int) -> int:
    """Its min, or the driver's floor where that is higher; never above max."""
    driver = kernel_floor_mib(guests.max_bytes[i] // MIB) * MIB
    return min(guests.max_bytes[i], max(guests.min_bytes[i], driver))


def is_reporting(guests: GuestsView, i: int, now_s: float) -> bool:
    """Whether the guest has settled and says what it uses."""
    has_settled = guests.since_s[i] < 0.0 or now_s - guests.since_s[i] >= SETTLE_S
    return has_settled and used_bytes(guests, i) != ABSENT


def _lingering_bytes(guests: GuestsView, i: int, desired: int) -> int:
    """What a guest above its desired size may keep this time."""
    excess = guests.actual_bytes[i] - desired
    if excess <= 0:
        return desired
    kept = desired + excess - max(excess // FALL_DIVISOR, UNIT_BYTES)
    return within(kept, desired, guests.max_bytes[i])
