"""What a balloon's moves tell directly: how fast it goes, and what reclaim takes for it."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import median

from aerostat.lab.calibration.probe import RAM_BYTES, Act, ProbeRecord
from aerostat.units import MIB

BLIND = "reclaim_blind_ratio"
_BLIND_S = 9.5
_WINDOW_S = 1.5
_BEGUN, _DONE = 0.1, 0.9
"""Between these parts of its way a balloon has left the answer of its monitor behind."""


def told_by_moves(records: Iterable[ProbeRecord]) -> Mapping[str, float]:
    """The constants that the marked moves of some probes tell; those that none told are absent."""
    rates: dict[str, list[float]] = {}
    fixed: list[float] = []
    for record in records:
        for act in record.probe.acts:
            told_here = _blindness(record, act) if act.tells == BLIND else _rate(record, act)
            if act.tells is not None and told_here is not None:
                rates.setdefault(act.tells, []).append(told_here)
        # Never counted in the guest's total: its kernel, and 64 bytes for each page.
        fixed += [RAM_BYTES * 63 / 64 - sample.total_bytes for _, sample in record.samples]
    told = {name: median(values) for name, values in rates.items()}
    untouched = told.pop("untouched", None)
    if untouched is not None and "inflate_bytes_per_s" in told:
        told["inflate_untouched_factor"] = untouched / told["inflate_bytes_per_s"]
    if fixed:
        told["kernel_fixed_bytes"] = median(fixed)
    return told


def _blindness(record: ProbeRecord, act: Act) -> float | None:
    """How much of the hot set went out with the cold, over what a fair draw would have taken.

    What came back in within the next seconds was hot.
    """
    before = [s for at, s in record.samples if at < act.at_s]
    after = [s for at, s in record.samples if act.at_s < at < act.at_s + _BLIND_S]
    if not before or not after or before[-1].heap_bytes == 0:
        return None
    out_bytes = after[-1].swap_out_bytes - before[-1].swap_out_bytes
    in_bytes = after[-1].swap_in_bytes - before[-1].swap_in_bytes
    hot_ratio = after[-1].hot_bytes / before[-1].heap_bytes
    if out_bytes - in_bytes <= 0:
        return None
    return min(1.0, in_bytes / (hot_ratio * (out_bytes - in_bytes)))


def _rate(record: ProbeRecord, act: Act) -> float | None:
    """Bytes a second from a tenth of the way to nine tenths of it; None: it did not get there."""
    seen = [(at, size) for at, size in record.actual if act.at_s <= at <= act.at_s + _WINDOW_S]
    if not seen or act.target_mib is None:
        return None
    first, way = seen[0][1], act.target_mib * MIB - seen[0][1]
    if way == 0:
        return None
    reached = [(at, (size - first) / way) for at, size in seen]
    begun = _crossing(reached, _BEGUN)
    done = _crossing(reached, _DONE)
    if begun is None or done is None or done <= begun:
        return None
    return abs(way) * (_DONE - _BEGUN) / (done - begun)


def _crossing(reached: list[tuple[float, float]], part: float) -> float | None:
    """When that part of the way was done, straight between two looks."""
    for (before_s, before), (after_s, after) in pairwise(reached):
        if before < part <= after:
            return before_s + (after_s - before_s) * (part - before) / (after - before)
    return None
