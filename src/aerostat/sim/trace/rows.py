"""Rows of a long table: one VM at one time each; and the account of those that are malformed."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerostat.sim.trace.trace import Place, TraceError
from aerostat.units import GIB

SIZE_MOST = 65_536 * GIB
"""No VM has 64 TiB: whoever writes so has another unit in mind."""
TIME_MOST_S = 1e11
"""Seconds since 1970 reach this in the year 5138; milliseconds passed it in 1973."""

STRAYS_RATIO = 0.001
"""Of the rows, those that are first and last: one of them may be mistyped."""
STRAY_SPANS = 10.0
FEW_ROWS = 8
"""Of fewer, nobody can say which one is the odd one out."""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class Account:
    """What was wrong with how many rows, and where first; in strict reading nothing may be."""

    is_strict: bool
    rows: int = 0
    malformed: Counter[str] = field(default_factory=Counter)
    first: dict[str, Place] = field(default_factory=dict)

    def blame(self, why: str, place: Place, count: int = 1) -> None:
        """Count malformed rows, the first of them at ``place``."""
        self.malformed[why] += count
        self.first.setdefault(why, place)

    def settle(self) -> None:
        """Be done with a file.

        Raises:
            TraceError: reading is strict and it has malformed rows; the first is named.
        """
        if self.is_strict and self.first:
            why, place = min(self.first.items(), key=lambda entry: entry[1].line)
            raise TraceError(f"{place}: {why}; without --strict such rows are counted and skipped")

    def notes(self) -> tuple[str, ...]:
        """A sentence for each kind of trouble."""
        return tuple(
            f"{count} of {self.rows} rows skipped: {why} (first at {self.first[why]})"
            for why, count in self.malformed.most_common()
        )

    def check(self, path: Path) -> None:
        """Refuse a file most of whose rows are malformed: it means something else.

        Raises:
            TraceError: more than half are.
        """
        bad = sum(self.malformed.values())
        if bad * 2 > self.rows:
            why, _ = self.malformed.most_common(1)[0]
            raise TraceError(
                f"{path}: {bad} of {self.rows} rows are malformed, for example {self.first[why]}: "
                f"{why}; this is not the layout that docs/traces.md describes"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Good rows only, in any order."""

    vm: npt.NDArray[np.int64]  # number of the VM in ``names``
    time_s: Floats
    used_bytes: Floats
    max_bytes: Floats
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawColumns:
    """Figures as read, NaN where there is no number; and the line of each."""

    vm: npt.NDArray[np.int64]  # negative: no name
    time_s: Floats
    used_bytes: Floats
    max_bytes: Floats
    lines: npt.NDArray[np.int64]


def good_rows(
    raw: RawColumns, names: tuple[str, ...], path: Path, account: Account, word: str = "line"
) -> Rows:
    """Take out what cannot be meant, and account for it.

    Raises:
        TraceError: reading is strict, and there is such a row.
    """
    account.rows += len(raw.time_s)
    good = np.ones(len(raw.time_s), dtype=np.bool_)
    for why, bad in _faults(raw):
        found = np.flatnonzero(bad & good)
        if len(found):
            place = Place(path=path, line=int(raw.lines[found[0]]), word=word)
            account.blame(why, place, len(found))
            good &= ~bad
    account.settle()
    return Rows(
        vm=raw.vm[good],
        time_s=raw.time_s[good],
        used_bytes=raw.used_bytes[good],
        max_bytes=raw.max_bytes[good],
        names=names,
    )


def _faults(raw: RawColumns) -> tuple[tuple[str, Flags], ...]:
    return (
        ("there is no VM's name", raw.vm < 0),
        ("the time is no number or date", ~np.isfinite(raw.time_s)),
        ("the time is before 1970 or beyond the year 5000", _is_beyond(raw.time_s, TIME_MOST_S)),
        ("the time is far from that of all other rows", _is_far(raw.time_s)),
        ("the memory used is no number", ~np.isfinite(raw.used_bytes)),
        ("the memory used is negative or above 64 TiB", _is_beyond(raw.used_bytes, SIZE_MOST)),
        ("the memory of the VM is no number", ~np.isfinite(raw.max_bytes)),
        ("the memory of the VM is negative or above 64 TiB", _is_beyond(raw.max_bytes, SIZE_MOST)),
    )


def _is_far(times: Floats) -> Flags:
    """Whether a time lies ten times as far outside as nearly all others are apart: mistyped."""
    known = np.isfinite(times) & ~_is_beyond(times, TIME_MOST_S)
    far = np.zeros(len(times), dtype=np.bool_)
    if known.sum() < FEW_ROWS:
        return far
    first = float(np.quantile(times[known], STRAYS_RATIO, method="higher"))
    last = float(np.quantile(times[known], 1 - STRAYS_RATIO, method="lower"))
    room = STRAY_SPANS * (last - first)
    if room > 0:
        far[known] = (times[known] < first - room) | (times[known] > last + room)
    return far


def _is_beyond(figures: Floats, most: float) -> Flags:
    known = np.isfinite(figures)
    beyond: Flags = known & ((np.nan_to_num(figures) < 0) | (np.nan_to_num(figures) > most))
    return beyond
