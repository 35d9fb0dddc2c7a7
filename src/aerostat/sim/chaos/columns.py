"""The columns of a chaos world: one entry a guest, plain numbers, lists or compiled arrays.

Bytes, seconds, and flags that are 0 or 1; ``ABSENT`` is no value, as in the engine's own columns.
"""

from typing import Any, NamedTuple, TypeVar

from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn

WALL_S = 1_800_000_000.0
"""Where the wall clock stands when a world begins."""
START_S = 1000.0
"""Where the monotonic clock stands."""
VIOLATIONS_MAX = 64
"""So many are kept with their particulars; the rest is only counted."""


class Guests(NamedTuple):
    """What is true of each guest, and the last sample of statistics that it wrote."""

    is_here: IntColumn
    run: IntColumn
    has_balloon: IntColumn
    has_agent: IntColumn  # 1: pressure figures come with its statistics
    max_bytes: IntColumn
    min_bytes: IntColumn  # the operator's
    ceiling_bytes: IntColumn  # the operator's max; at most the RAM it booted with
    weight: IntColumn
    is_managed: IntColumn
    standing: IntColumn  # the operator's order, as the engine's columns have it
    is_backing_up: IntColumn
    deflates_on_oom: IntColumn  # 1, 0, ABSENT: as the hypervisor tells; 0: it never lets go
    need_bytes: IntColumn  # what it would touch if it could, its kernel included
    cold_bytes: IntColumn  # the part of this that it touches once and then leaves alone
    file_bytes: IntColumn  # what its cache would hold
    is_missing: IntColumn  # 1: it reads what its cache does not hold again and again
    touched_bytes: IntColumn
    swapped_bytes: IntColumn
    swap_size_bytes: IntColumn
    cache_bytes: IntColumn
    backed_bytes: IntColumn  # what the host holds for it
    held_bytes: IntColumn  # of that in the host's RAM, and its process beside it: what is measured
    host_swap_bytes: IntColumn  # and of that in the host's swap
    target_bytes: IntColumn  # as its hypervisor has it
    actual_bytes: IntColumn
    has_yielded: IntColumn  # its balloon let go on its own, and rests until the next target
    swap_in_bytes: IntColumn
    swap_out_bytes: IntColumn
    major_faults: IntColumn
    oom_kills: IntColumn
    refaults: IntColumn  # pages of its cache that it missed
    disk_read_bytes: IntColumn
    pressure_s: FloatColumn
    short_byte_s: FloatColumn  # hot memory it lacked
    sample_s: FloatColumn  # monotonic; below 0: none yet
    sample_wall_s: FloatColumn
    sample_available_bytes: IntColumn
    sample_free_bytes: IntColumn
    sample_cache_bytes: IntColumn
    sample_swap_in_bytes: IntColumn
    sample_swap_out_bytes: IntColumn
    sample_major_faults: IntColumn
    sample_oom_kills: IntColumn
    sample_refaults: IntColumn
    sample_pressure_s: FloatColumn


class Faults(NamedTuple):
    """What is wrong with each guest just now; all 0 (``claims`` ``ABSENT``) is nothing."""

    is_stalled: IntColumn
    slowness: IntColumn  # its balloon takes so many times as long; 0 counts as 1
    is_frozen: IntColumn
    is_silent: IntColumn  # 1: no statistics at all, 2: without what is available
    claims: IntColumn  # so many thousandths of `actual` it says are available
    cries: IntColumn  # bytes per second that it claims to swap in and out
    is_unreachable: IntColumn
    hides_actual: IntColumn
    refuses: IntColumn
    loses: IntColumn  # 1: targets are taken and the answer is lost, 2: the target is lost too
    delay_ticks: IntColumn  # the answer to a target takes so long
    keeps_touching: IntColumn  # the host gets nothing back from its balloon


class Commands(NamedTuple):
    """Targets sent to each guest, and what the engine has been told of them."""

    plan_bytes: IntColumn  # this round's target; ABSENT: none
    is_under_way: IntColumn
    due_tick: IntColumn
    is_overdue: IntColumn  # the engine has been told that nobody knows yet
    sent_bytes: IntColumn
    outcome: IntColumn  # 0 accepted, 1 refused, 2 unknown
    known_bytes: IntColumn  # last target that was answered and not refused; ABSENT: none


class HostRow(NamedTuple):
    """The host: columns of one entry."""

    total_bytes: IntColumn
    other_bytes: IntColumn
    is_readable: IntColumn
    budget_bytes: IntColumn
    is_elastic: IntColumn
    reserve_bytes: IntColumn
    wall_jump_s: FloatColumn
    is_enforcing: IntColumn
    is_static: IntColumn
    reserved_bytes: IntColumn  # promised to VMs to come, as of the running span
    state: IntColumn  # 0 comfortable .. 3 critical, 4 unknown, as the engine judges it
    supply_bytes: IntColumn  # as of this round; ABSENT: the host could not be read
    physical_bytes: IntColumn


class Watch(NamedTuple):
    """What the checks remember of each guest."""

    seen_s: FloatColumn  # when its newest sample first showed
    clean_seen_s: FloatColumn  # when the last one showed that came while its balloon rested
    gap_s: FloatColumn  # between the last two of its samples, as they showed
    seen_sample_s: FloatColumn  # when that sample was written
    seen_swap_in_bytes: IntColumn
    seen_swap_out_bytes: IntColumn
    is_hungry: IntColumn  # new samples in a row with next to nothing available, and swapping out
    is_thrashing: IntColumn  # new samples in a row with little available and reading from swap
    take_seen_s: FloatColumn  # the sample on which memory was last taken
    take_from_bytes: IntColumn  # and what it counted with before the first take on it
    is_squeezed: IntColumn  # taken from since it was last given
    asked_s: FloatColumn  # when it was asked to shut down
    asked_from_bytes: IntColumn  # what it counted with then; ABSENT: it was not
    stranger_s: FloatColumn  # when somebody else set its target
    taken_s: FloatColumn  # when it was last lowered ...
    taken_from_bytes: IntColumn  # ... and what it held before that
    due_bytes: IntColumn  # its share by weight, if everybody wanted all it can have; at least that
    due_bytes_max: IntColumn  # and at most
    due_cap_bytes: IntColumn
    due_own_bytes: IntColumn
    has_arrived: IntColumn
    last_actual_bytes: IntColumn  # as last read; ABSENT: never
    in_use_bytes: IntColumn  # as the engine believes it, for the host's account
    moved_bytes: IntColumn  # commanded in this minute
    moved_bytes_max: IntColumn
    moved_in_all_bytes: IntColumn


class Verdicts(NamedTuple):
    """Violations, oldest first: columns of ``VIOLATIONS_MAX`` entries; ``total[0]`` counts all."""

    total: IntColumn
    tick: IntColumn
    guest: IntColumn
    rule: IntColumn
    found: IntColumn
    allowed: IntColumn


class World(NamedTuple):
    """Everything there is."""

    tick_s: float
    guests: Guests
    faults: Faults
    commands: Commands
    host: HostRow
    watch: Watch
    verdicts: Verdicts


_ABSENT_AT_FIRST = frozenset(
    {
        "claims", "plan_bytes", "known_bytes", "last_actual_bytes", "asked_from_bytes",
        "in_use_bytes",
    }
)  # fmt: skip
_PAST_AT_FIRST = frozenset(
    {
        "sample_s",
        "seen_s",
        "clean_seen_s",
        "take_seen_s",
        "seen_sample_s",
        "asked_s",
        "taken_s",
        "stranger_s",
    }
)


def empty_world(count: int, tick_s: float) -> World:
    """Room for ``count`` guests, none of them here."""
    return World(
        tick_s=tick_s,
        guests=_blank(Guests, count),
        faults=_blank(Faults, count),
        commands=_blank(Commands, count),
        host=_blank(HostRow, 1),
        watch=_blank(Watch, count),
        verdicts=_blank(Verdicts, VIOLATIONS_MAX),
    )


TableT = TypeVar("TableT", bound=tuple[Any, ...])


def _blank(kind: type[TableT], count: int) -> TableT:
    columns: list[IntColumn | FloatColumn] = []
    for name, column in kind.__annotations__.items():
        if name in _ABSENT_AT_FIRST:
            columns.append([ABSENT] * count)
        elif name in _PAST_AT_FIRST:
            columns.append([-1.0] * count)
        elif column is FloatColumn:
            columns.append([0.0] * count)
        else:
            columns.append([0] * count)
    return kind(*columns)
