"""The columns of a fleet: its guests, its hosts, what is demanded, and the scores.

One entry a guest, a host's guests side by side, plain numbers. Lists when interpreted, arrays of
records when compiled (see ``sim.compiled``).
"""

from collections.abc import Sequence
from typing import NamedTuple

from aerostat.policy.columns import FloatColumn, IntColumn
from aerostat.sim.fleet.full.columns import Deep


class Guests(NamedTuple):
    """What the guests are, hold and want; sizes and counters in bytes."""

    min_bytes: IntColumn
    max_bytes: IntColumn
    weight: IntColumn
    demand_bytes: IntColumn  # now
    next_demand_bytes: IntColumn  # in the next sample of demand: only a clairvoyant may look
    target_bytes: IntColumn
    actual_bytes: IntColumn
    available_bytes: IntColumn  # as the guest wrote it at the end of the last tick
    swapped_bytes: IntColumn  # out at the moment
    swap_in_bytes: IntColumn  # counters
    swap_out_bytes: IntColumn
    stalled_s: FloatColumn  # counter: time in which tasks waited for memory
    short_byte_s: FloatColumn  # scores, summed up over the run
    wanted_byte_s: FloatColumn
    distressed_s: FloatColumn
    churn_bytes: IntColumn


class HostRows(NamedTuple):
    """One entry a host."""

    first: IntColumn
    end: IntColumn
    supply_bytes: IntColumn  # for guests
    total_bytes: IntColumn  # with the reserve
    below_reserve_s: FloatColumn  # scores
    over_byte_s: FloatColumn


class Fleet(NamedTuple):
    """A world of hosts and their guests.

    Every ``ticks_per_sample`` ticks of ``tick_s`` the next row of ``demand_bytes`` is in force. The
    world can stop at any tick and go on.
    """

    tick_s: float
    ticks_per_sample: int
    demand_bytes: Sequence[IntColumn]  # [sample][guest]
    guests: Guests
    hosts: HostRows
    deep: Deep
