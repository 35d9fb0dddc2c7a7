"""The inner arithmetic of a round, over columns: guests of any number of hosts in one call.

Everything called from here runs interpreted in the daemon and compiled in the simulator.
"""

from aerostat.engine import codes
from aerostat.engine.believe import believe
from aerostat.engine.closing import lent_bytes
from aerostat.engine.columns import STANDING_RELEASED, Round
from aerostat.engine.entitlement import entitle
from aerostat.engine.estimate import estimate
from aerostat.engine.guard import guard
from aerostat.engine.order import order
from aerostat.engine.pace import pace
from aerostat.engine.sureness import judge_sureness
from aerostat.policy.adaptive import adaptive_wishes
from aerostat.policy.codes import WHY_DISTRESS, WHY_ORDERED, WHY_SHUTDOWN
from aerostat.policy.columns import ABSENT, Host, Needs
from aerostat.policy.static import static_wishes
from aerostat.policy.water import total_of

RELEASE_S_MIN = 5.0
"""A reset guest is offered its max for at least so long, however short its grace."""


def decide(r: Round) -> None:
    """Decide every host of a round; results are in ``r.decision``, and memory is updated."""
    for host in range(len(r.hosts.first)):
        first, end = r.hosts.first[host], r.hosts.end[host]
        supply, burst = _judge_host(r, host)
        _wish(r, Host(first, end, supply, burst, r.is_host_short, r.backing_bytes))
        _settle_host(r, host, supply, burst)


def judge(r: Round) -> None:
    """What is believed and estimated of every guest, and what each is due."""
    for host in range(len(r.hosts.first)):
        _judge_host(r, host)


def _judge_host(r: Round, host: int) -> tuple[int, int]:
    """Returns what the host's guests may hold, and what of it is kept back for distress."""
    first, end = r.hosts.first[host], r.hosts.end[host]
    for i in range(first, end):
        believe(r, i)
        estimate(r, i)
        if r.is_host_short == 1:
            judge_sureness(r, i)
    _size_reserve(r, host)
    supply = supply_of_host(r, host)
    # Dues do not follow what is learned: others' luck is no reason to be due less.
    least = r.hosts.burst_least_bytes[host] if r.knobs.is_guarded == 1 else 0
    entitle(r, first, end, max(0, supply - least))
    return supply, _burst_of_host(r, host, supply)


def _size_reserve(r: Round, host: int) -> None:
    """Keep back for distress what the farthest rise to be expected would not find in its guest."""
    hosts, estimates, memory = r.hosts, r.estimates, r.memory
    wanted = hosts.burst_least_bytes[host]
    for i in range(hosts.first[host], hosts.end[host]):
        if memory.rise_bytes[i] > wanted:  # few are: only for these it is worked out
            likely = min(memory.used_bytes[i] + int(memory.rise_bytes[i]), r.figures.max_bytes[i])
            wanted = max(wanted, likely - estimates.ordered_bytes[i])
    hosts.burst_bytes[host] = min(wanted, hosts.burst_most_bytes[host])


def settle(r: Round) -> None:
    """From wishes to targets: protection, guard, order."""
    for host in range(len(r.hosts.first)):
        supply = supply_of_host(r, host)
        _settle_host(r, host, supply, _burst_of_host(r, host, supply))


def _settle_host(r: Round, host: int, supply: int, burst: int) -> None:
    first, end = r.hosts.first[host], r.hosts.end[host]
    for i in range(first, end):
        _protect(r, i)
        guard(r, i)
    pace(r, first, end)
    pool = supply
    if r.knobs.frees_first == 1 or r.knobs.is_guarded == 0:
        pool = supply - total_of(r.estimates.committed_bytes, first, end)
        pool -= total_of(r.estimates.rising_bytes, first, end)
    if r.hosts.physical_bytes[host] != ABSENT:
        pool = min(pool, r.hosts.physical_bytes[host])
    order(r, host, pool, burst)


def _burst_of_host(r: Round, host: int, supply: int) -> int:
    return min(r.hosts.burst_bytes[host], supply) if r.knobs.is_guarded == 1 else 0


def supply_of_host(r: Round, host: int) -> int:
    """What the host's guests may hold, less what is promised to VMs that are not here yet.

    What is lent to a guest that shuts down is its own, and nobody else's.
    A host that could not be read supplies exactly what is held: nobody is taken from for it.
    """
    if r.hosts.supply_bytes[host] == ABSENT:
        return total_of(r.estimates.committed_bytes, r.hosts.first[host], r.hosts.end[host])
    lent = lent_bytes(r, r.hosts.first[host], r.hosts.end[host])
    return max(0, r.hosts.supply_bytes[host] + lent - r.hosts.reserved_bytes[host])


def _wish(r: Round, host: Host) -> None:
    needs = Needs(
        r.figures.min_bytes,
        r.figures.max_bytes,
        r.figures.weight,
        r.estimates.planned_bytes,
        r.estimates.is_movable,
        r.estimates.is_distressed,
        r.estimates.is_starved,
        r.estimates.is_calm,
        r.estimates.core_bytes,
        r.estimates.need_bytes,
        r.estimates.comfort_bytes,
        r.estimates.floor_bytes,
        r.memory.rise_bytes,
        r.estimates.is_in_host_swap,
        r.estimates.kept_bytes,
        r.estimates.due_bytes,
        r.estimates.is_idle,
        r.estimates.unsure_bytes,
    )
    if r.policy == codes.POLICY_STATIC:
        static_wishes(needs, host, r.desk, r.decision.wishes)
    else:
        adaptive_wishes(needs, host, r.desk, r.decision.wishes)


def _protect(r: Round, i: int) -> None:
    """Whatever the policy wished: distress, a reset, a shutdown, an order ask for everything."""
    if r.knobs.protects == 0 or r.estimates.is_movable[i] == 0:
        return
    released = r.estimates.ordered_bytes[i] >= r.figures.max_bytes[i]
    over = r.now_s - r.memory.since_s[i] > max(r.knobs.grace_s, RELEASE_S_MIN)
    if released or over:
        r.memory.is_release_due[i] = 0
    closing = r.estimates.is_closing[i] == 1
    if closing or r.estimates.is_distressed[i] == 1 or r.memory.is_release_due[i] == 1:
        # A max lowered by the operator meanwhile is no reason to shrink it now.
        ceiling = max(r.figures.max_bytes[i], r.estimates.ordered_bytes[i])
        r.decision.wishes.wish_bytes[i] = ceiling
        r.decision.wishes.why[i] = WHY_SHUTDOWN if closing else WHY_DISTRESS
    elif r.figures.standing[i] == STANDING_RELEASED:
        r.decision.wishes.wish_bytes[i] = max(r.figures.max_bytes[i], r.estimates.ordered_bytes[i])
        r.decision.wishes.why[i] = WHY_ORDERED
