"""The columns the engine works on: figures as read, memory between rounds, and what it decides.

One entry a guest, plain numbers, ``ABSENT`` for no value (see ``policy.columns``). Times are
monotonic seconds; ``NEVER_S`` is long before everything.
"""

from dataclasses import dataclass
from typing import Any

from aerostat.engine.knobs import Knobs
from aerostat.policy.columns import (
    ABSENT,
    Desk,
    FloatColumn,
    IntColumn,
    Table,
    Wishes,
    empty_desk,
    empty_wishes,
)

NEVER_S = -1e18
"""A time before all others, so that "how long ago" needs no special case."""

RUN_RUNNING = 0
RUN_PAUSED = 1
RUN_MIGRATING = 2
RUN_UNREACHABLE = 3
RUN_OTHER = 4

STANDING_NONE = 0
STANDING_HELD = 1  # nothing is taken from it
STANDING_RELEASED = 2  # and it gets its max


TAKES_NOTHING = 0
TAKES_FREE = 1
TAKES_ALL = 2
TAKES_PINNED = 3
"""Nothing either: what it gives the balloon stays with the host's process."""


@dataclass(slots=True)
class Figures(Table):
    """What this round read; untrusted where it comes from the guest."""

    run: IntColumn
    has_balloon: IntColumn  # 1, 0, ABSENT
    deflates_on_oom: IntColumn  # 1, 0, ABSENT
    is_managed: IntColumn
    is_backing_up: IntColumn
    takes: IntColumn  # what the ladder lets its balloon take: ``TAKES_...``
    standing: IntColumn  # the operator's order: one of the three below
    min_bytes: IntColumn
    max_bytes: IntColumn
    weight: IntColumn
    promised_bytes: IntColumn  # to it when it was let in, until that time is over
    actual_bytes: IntColumn
    held_bytes: IntColumn  # the host's own measure of the VM
    held_age_s: FloatColumn  # of that measure: one is costly and read slowly
    host_swap_bytes: IntColumn  # of the VM, in the host's swap
    host_swap_in_bytes: IntColumn  # counter: read back from there for it
    host_waited_s: FloatColumn  # counter: one of its threads waited for the host's memory
    limit_hits: IntColumn  # counter: held at a memory limit of its own
    unsplit_bytes: IntColumn  # given up in part of huge pages, which the host still holds
    touched_bytes: IntColumn  # of its process, in the last while, as the host saw it
    disk_read_bytes: IntColumn  # counter: from its disks, its swap's too
    has_sample: IntColumn
    sample_wall_s: FloatColumn
    sample_age_s: FloatColumn
    available_bytes: IntColumn
    free_bytes: IntColumn
    cache_bytes: IntColumn
    swap_in_bytes: IntColumn
    swap_out_bytes: IntColumn
    major_faults: IntColumn
    oom_kills: IntColumn
    alloc_stalls: IntColumn
    pressure_wall_s: FloatColumn  # when an agent said the three below; ABSENT: none does
    refaults: IntColumn
    pressure_some_s: FloatColumn
    pressure_full_s: FloatColumn


@dataclass(slots=True)
class Memory(Table):
    """What the engine remembers of each guest from round to round."""

    since_s: FloatColumn  # when it appeared, resumed or was reset: grace counts from here
    target_bytes: IntColumn  # last target known to have been sent; ABSENT: adopted, none of ours
    target_set_s: FloatColumn
    has_arrived: IntColumn  # 1: `actual` has reached the target since it was set
    is_outcome_unknown: IntColumn
    stranger_s: FloatColumn  # when somebody else last set its target, or moved it since
    actual_bytes: IntColumn  # at the last read
    progress_s: FloatColumn  # when `actual` last moved towards the target
    stalled_until_s: FloatColumn
    stall_retry_s: FloatColumn
    # The last new sample and what followed from it.
    sample_wall_s: FloatColumn
    sample_seen_s: FloatColumn
    sample_age_s: FloatColumn  # its age when first seen
    sample_period_s: FloatColumn  # how often they come, in whole seconds; 0: not known
    sample_available_bytes: IntColumn  # part of its identity: time stamps have whole seconds
    swap_in_bytes: IntColumn
    swap_out_bytes: IntColumn
    major_faults: IntColumn
    oom_kills: IntColumn
    alloc_stalls: IntColumn
    pressure_wall_s: FloatColumn
    refaults: IntColumn
    pressure_some_s: FloatColumn
    pressure_full_s: FloatColumn
    swap_in_rate: FloatColumn  # bytes per second between the last two samples; ABSENT unknown
    swap_out_rate: FloatColumn
    major_fault_rate: FloatColumn
    oom_kill_rate: FloatColumn
    alloc_stall_rate: FloatColumn
    refault_rate: FloatColumn
    disk_read_bytes: IntColumn
    disk_read_rate: FloatColumn
    pressure_some_ratio: FloatColumn
    pressure_full_ratio: FloatColumn
    available_bytes: IntColumn  # newest, for judging distress
    # The last sample that no move of the balloon blurred: only this one may take memory.
    clean_s: FloatColumn
    clean_age_s: FloatColumn  # its age when it was seen
    clean_samples: IntColumn  # how many there were, as far as it matters
    used_bytes: IntColumn  # actual - available
    clean_available_bytes: IntColumn
    free_bytes: IntColumn
    cache_bytes: IntColumn
    growth_rate: FloatColumn  # bytes per second by which used rises; never negative
    grew_s: FloatColumn  # when it last did, by more than noise
    remembered_bytes: FloatColumn  # used, its falls believed slowly
    burst_bytes: FloatColumn  # greatest rise within the lookahead, forgotten over many minutes
    low_bytes: FloatColumn  # used, its rises believed slowly
    rise_bytes: FloatColumn  # greatest rise at a stretch, forgotten over hours
    distress_s: FloatColumn  # last time it was in distress
    distress_began_s: FloatColumn  # when the present distress began
    healthy_samples: IntColumn  # calm new samples in a row
    # Our own takes.
    take_s: FloatColumn
    take_clean_s: FloatColumn  # the sample the last take was founded on: none justifies two
    took_bytes: IntColumn  # and how much it was, in the last second
    take_from_bytes: IntColumn  # what it held before the last takes, close upon each other
    # What its page cache is worth.
    missed_rate: FloatColumn  # bytes of files a second that it read again, over some seconds
    take_missed_rate: FloatColumn  # and what it was before the last takes
    cache_floor_bytes: IntColumn  # its cache was missed below this; ABSENT: it was not
    cache_worth_bytes: IntColumn  # up to this, more of it saved reads; ABSENT: not known
    offer_from_bytes: IntColumn  # what it held when it was offered more; ABSENT: it is not
    offer_missed_rate: FloatColumn  # and what it missed then
    offer_s: FloatColumn  # when an offer began, or ended
    offer_wait_s: FloatColumn  # and how long the next one waits
    # When what was taken was in use.
    squeeze_s: FloatColumn  # when memory in use was last taken
    squeeze_from_bytes: IntColumn  # what it held before that; ABSENT: it got it back
    trial_from_bytes: IntColumn  # what it held before the last try; ABSENT: it was beyond its due
    hurt_floor_bytes: IntColumn  # a squeeze below this hurt; ABSENT: none did
    backoff_until_s: FloatColumn  # before that, only what lies free: the last take hurt
    backoff_s: FloatColumn
    gave_s: FloatColumn  # when it was last raised
    turns: FloatColumn  # how often it was taken from soon after a raise; forgotten in a minute
    shutdown_asked_s: FloatColumn  # when it was asked to shut down
    lent_from_bytes: IntColumn  # what it counted with then; ABSENT: it was not asked
    lent_bytes: IntColumn  # given to it since, beyond the supply: until it is gone
    # What the host does to it, as its process's files say.
    host_seen_s: FloatColumn
    host_held_s: FloatColumn  # when the measure below was taken
    host_held_bytes: IntColumn
    host_growth_rate: FloatColumn  # bytes per second by which that rises; never negative
    host_swap_bytes: IntColumn
    host_swap_out_bytes: FloatColumn  # swapped out lately, forgotten over about a minute
    host_swap_in_bytes: IntColumn
    host_swap_in_rate: FloatColumn  # bytes per second; ABSENT unknown
    host_waited_s: FloatColumn
    host_waiting_ratio: FloatColumn
    limit_hits: IntColumn
    limited_s: FloatColumn  # when it was last made to wait at a limit of its own
    limit_fits_bytes: IntColumn  # the greatest target that would have fitted it then
    # What its agent pushed last, the moment its kernel noticed.
    pushed_s: FloatColumn
    pushed_is_full: IntColumn  # 1: everybody in it waited; 0: somebody did
    pushed_free_bytes: IntColumn  # what lay free in it then, as the agent says
    pushed_held_bytes: IntColumn  # and what it held
    is_release_due: IntColumn  # it was reset: a fresh kernel must not inflate to the old target


@dataclass(slots=True)
class Estimates(Table):
    """What is believed of each guest in this round."""

    is_usable: IntColumn  # 1: its figures are fresh and complete enough to take memory on
    is_distressed: IntColumn
    is_starved: IntColumn
    is_calm: IntColumn
    is_stalled: IntColumn
    is_movable: IntColumn
    is_doubted: IntColumn  # it holds much more than it says
    is_closing: IntColumn  # it was asked to shut down, not long ago
    loan_bytes: IntColumn  # lent to it in this round
    is_in_host_swap: IntColumn  # so much of it lies there that taking from it makes the host read
    is_confined: IntColumn  # a limit of its own cgroup made it wait: its max is what fits that
    age_s: FloatColumn
    ordered_bytes: IntColumn
    planned_bytes: IntColumn  # the same; of one that cannot be moved now, what it holds
    committed_bytes: IntColumn  # what counts against the supply
    core_bytes: IntColumn
    need_bytes: IntColumn
    comfort_bytes: IntColumn
    floor_bytes: IntColumn
    rising_bytes: IntColumn  # what it is about to take of the host, counted nowhere else
    confidence: FloatColumn  # how sure all this is, 0 to 1
    headroom_bytes: IntColumn  # what it shall have free beyond its working set
    harmless_bytes: IntColumn  # free in the guest beyond its headroom: taking it costs it nothing
    kept_bytes: IntColumn  # what it uses, its headroom, and what it is expected to grow by
    due_bytes: IntColumn  # its share by weight, if everybody wanted all it can have
    due_least_bytes: IntColumn  # and what that was worked out from
    due_cap_bytes: IntColumn
    due_weight: IntColumn
    due_supply_bytes: IntColumn
    is_owed: IntColumn  # in distress with less than its due
    is_hoarding: IntColumn  # holds more than its due while somebody is owed
    is_idle: IntColumn  # calm, and has not grown for long: it may be asked for what it uses
    unsure_bytes: IntColumn  # of what it gave, so much might bring a host that is short nothing


@dataclass(slots=True)
class Decision(Table):
    """What the round decides per guest: codes are those of ``engine.codes``."""

    wishes: Wishes
    target_bytes: IntColumn
    reason: IntColumn
    bound: IntColumn
    is_urgent: IntColumn


@dataclass(slots=True)
class Hosts(Table):
    """One entry a host: where its guests are, and what they may hold."""

    first: IntColumn
    end: IntColumn
    supply_bytes: IntColumn  # ABSENT: the host could not be read
    physical_bytes: IntColumn  # what it could back right now; ABSENT: not known
    burst_least_bytes: IntColumn  # of the supply, always kept back for guests in distress
    burst_most_bytes: IntColumn  # and so much, where they have risen so far
    burst_bytes: IntColumn  # what is kept back in this round: worked out
    kept_back_bytes: IntColumn  # of what is free: not to be given to anybody else just now
    reserved_bytes: IntColumn  # promised to VMs that are not here yet


@dataclass(slots=True)
class Round(Table):
    """Everything one round works on."""

    now_s: float
    policy: int  # a number of ``engine.codes``
    knobs: Knobs
    hosts: Hosts
    figures: Figures
    memory: Memory
    estimates: Estimates
    desk: Desk
    grants: IntColumn
    wants: IntColumn
    decision: Decision
    is_host_short: int = 0  # 1: hard or critical
    is_below_reserve: int = 0  # 1: soft or worse
    backing_bytes: int = 0  # for who needs it now, the host could compress or swap so much


_NEVER = frozenset(name for name in Memory._fields if name.endswith("_s")) - {
    "stall_retry_s", "sample_age_s", "sample_period_s", "clean_age_s", "pressure_some_s",
    "pressure_full_s", "backoff_s", "host_waited_s", "offer_wait_s",
}  # fmt: skip
_ZERO = frozenset({
    "has_arrived", "is_outcome_unknown", "healthy_samples", "growth_rate", "sample_age_s",
    "sample_period_s", "stall_retry_s", "backoff_s", "is_release_due", "lent_bytes",
    "burst_bytes", "turns", "rise_bytes", "clean_samples", "clean_age_s", "took_bytes",
    "host_growth_rate", "offer_wait_s", "host_swap_out_bytes", "pushed_is_full",
})  # fmt: skip


def empty_memory(count: int) -> Memory:
    """Memory of ``count`` guests nobody has seen yet."""
    columns: dict[str, IntColumn | FloatColumn] = {}
    for name, kind in Memory.__annotations__.items():
        if name in _NEVER:
            columns[name] = [NEVER_S] * count
        elif name in _ZERO:
            columns[name] = [0.0 if kind is FloatColumn else 0] * count
        else:
            columns[name] = [float(ABSENT) if kind is FloatColumn else ABSENT] * count
    return Memory(**columns)  # type: ignore[arg-type] # names and kinds come from Memory itself


_ZEROS: tuple[list[Any], ...] = tuple(
    [0.0 if kind is FloatColumn else 0] for kind in Estimates.__annotations__.values()
)


def empty_estimates(count: int) -> Estimates:
    """Room for the estimates of ``count`` guests."""
    return Estimates(*[zero * count for zero in _ZEROS])


def empty_decision(count: int) -> Decision:
    """Room for the decisions on ``count`` guests."""
    return Decision(empty_wishes(count), *([0] * count for _ in range(4)))


def new_round(
    now_s: float, policy: int, knobs: Knobs, hosts: Hosts, figures: Figures, memory: Memory
) -> Round:
    """A round over these columns, with room for its results."""
    count = len(figures.run)
    return Round(
        now_s=now_s,
        policy=policy,
        knobs=knobs,
        hosts=hosts,
        figures=figures,
        memory=memory,
        estimates=empty_estimates(count),
        desk=empty_desk(count),
        grants=[0] * count,
        wants=[0] * count,
        decision=empty_decision(count),
    )
