"""The columns that full physics adds to a fleet: beside ``fleet.columns``, in the same order."""

from typing import NamedTuple

from aerostat.policy.columns import FloatColumn, IntColumn
from aerostat.sim.fleet.constants import DEFLATE_RATE, INFLATE_RATE
from aerostat.sim.fleet.full.constants import OUT_RATE, PAGE_IN_S, UNTOUCHED_FACTOR


class Insides(NamedTuple):
    """What lies in each guest; sizes in bytes. In use is kernel, hot, cold and cache together."""

    kernel_bytes: IntColumn  # and programs beside the workload: never given up
    file_bytes: IntColumn  # that the page cache would hold
    kept_ratio: FloatColumn  # of what the workload does not use any more, it gives back the rest
    age_sixteenth: FloatColumn  # shares of the accesses that the youngest part takes: sim.ages
    age_eighth: FloatColumn
    age_quarter: FloatColumn
    age_half: FloatColumn
    swap_bytes: IntColumn  # the guest's own device
    identical_bytes: IntColumn  # that other guests of the host hold as well
    is_reporting: IntColumn  # of free pages
    yields: IntColumn  # deflate-on-oom
    hot_bytes: IntColumn  # allocated of what is demanded, wherever it lies ...
    hot_swapped_bytes: IntColumn  # ... and that part of it in swap
    cold_bytes: IntColumn  # resident, and not used any more
    cold_swapped_bytes: IntColumn
    cache_bytes: IntColumn
    touched_bytes: IntColumn  # what the host backs: a high-water mark
    before_bytes: IntColumn  # what it held when the tick began
    restart_in_s: FloatColumn  # until a workload that was killed, or a whole VM, is back
    refault_pages: FloatColumn  # scores, summed up over the run
    lost_s: FloatColumn  # work not done, in seconds of work
    oom_kills: IntColumn


class Under(NamedTuple):
    """What lies under the guests of each host."""

    other_bytes: IntColumn  # held by the host's own programs
    swap_bytes: IntColumn
    pool_bytes_max: IntColumn  # for compressed pages; 0: no compression
    compressed_ratio: FloatColumn
    scan_rate: FloatColumn  # bytes a second, by the scanner for equal pages
    merged_bytes: IntColumn
    disk_bytes: IntColumn  # of the guests' memory, in the host's swap
    compressed_bytes: IntColumn
    wait_per_touch_s: FloatColumn
    swap_in_bytes: IntColumn  # counters
    swap_out_bytes: IntColumn
    oom_kills: IntColumn


class Pace(NamedTuple):
    """What a machine does in a second, the same for all guests: published, or fitted to real ones.

    Numbers and not constants of the source, so that the compiled loops serve all of them.
    """

    inflate_rate: float = INFLATE_RATE  # bytes a second, touched before ...
    untouched_factor: float = UNTOUCHED_FACTOR  # ... and so many times that where never touched
    deflate_rate: float = DEFLATE_RATE
    out_rate: float = OUT_RATE  # to the guest's own swap
    page_in_s: float = PAGE_IN_S  # for a page from there


class Deep(NamedTuple):
    """All of it; columns without entries where a fleet runs on simplified physics."""

    insides: Insides
    under: Under
    pace: Pace
