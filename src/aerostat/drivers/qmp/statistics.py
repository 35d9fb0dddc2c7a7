"""Parses what a guest's balloon driver reports, believing nothing of it.

QEMU passes the guest's own words on: all figures are untrusted. Sizes and swap traffic are bytes,
the rest are counts. QEMU 7.2 has no keys for kills and stalls; guests before 6.12 leave them unset.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aerostat.drivers.qmp.answers import AnswerViolationError
from aerostat.model.figures import Absence, AbsentFigure, BalloonStatistics

_KEYS = {
    "total_bytes": "stat-total-memory",
    "available_bytes": "stat-available-memory",
    "free_bytes": "stat-free-memory",
    "cache_bytes": "stat-disk-caches",
    "swap_in_bytes": "stat-swap-in",
    "swap_out_bytes": "stat-swap-out",
    "major_faults": "stat-major-faults",
    "minor_faults": "stat-minor-faults",
    "oom_kills": "stat-oom-kills",
    "alloc_stalls": "stat-alloc-stalls",
}
_PARTS_OF_TOTAL = ("available_bytes", "free_bytes", "cache_bytes")
_UNSET = (-1, 2**64 - 1)  # QEMU's "no value", unsigned as QEMU prints it and signed
_COUNT_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestReport:
    """One sample, before its age is known. A figure is in ``values`` or in ``absent``."""

    updated_wall_s: float | None  # QEMU's time stamp; None: the guest's driver never reported
    values: Mapping[str, int] = field(default_factory=dict)
    absent: tuple[AbsentFigure, ...] = ()

    def aged(self, age_s: float) -> BalloonStatistics:
        """The statistics as the model has them; without any sample their age is zero."""
        return BalloonStatistics(
            sampled_wall_s=self.updated_wall_s or 0.0,
            age_s=age_s if self.updated_wall_s is not None else 0.0,
            absent=self.absent,
            **self.values,
        )


def parse_guest_stats(untrusted: object, *, max_bytes: int | None) -> GuestReport:
    """Parse the answer to qom-get of guest-stats.

    Args:
        untrusted: the answer as it came.
        max_bytes: RAM of the VM; sizes above it cannot be. None: not known, so not checked.

    Raises:
        AnswerViolationError: the answer has not the form that QEMU's own part of it has.
    """
    stats, updated_s = _envelope(untrusted)
    if updated_s <= 0:
        names = tuple(AbsentFigure(name=n, why=Absence.NEVER_SAMPLED) for n in _KEYS)
        return GuestReport(updated_wall_s=None, absent=names)
    read = {name: _figure(stats, key) for name, key in _KEYS.items()}
    _drop_absurd(read, max_bytes=max_bytes)
    return GuestReport(
        updated_wall_s=float(updated_s),
        values={name: value for name, value in read.items() if isinstance(value, int)},
        absent=tuple(
            AbsentFigure(name=name, why=value)
            for name, value in read.items()
            if isinstance(value, Absence)
        ),
    )


def _envelope(untrusted: object) -> tuple[Mapping[str, Any], int]:
    if not isinstance(untrusted, Mapping):
        raise AnswerViolationError("the answer to guest-stats is not an object")
    stats, updated_s = untrusted.get("stats"), untrusted.get("last-update")
    if not isinstance(stats, Mapping):
        raise AnswerViolationError("the answer to guest-stats has no object 'stats'")
    if not isinstance(updated_s, int) or isinstance(updated_s, bool) or updated_s > _COUNT_MAX:
        raise AnswerViolationError("'last-update' of guest-stats is not a time")
    return stats, updated_s


def _figure(stats: Mapping[str, Any], key: str) -> int | Absence:
    if key not in stats:
        return Absence.NOT_REPORTED
    value = stats[key]
    if not isinstance(value, int) or isinstance(value, bool):
        return Absence.ABSURD
    if value in _UNSET:
        return Absence.UNSET
    return value if 0 <= value <= _COUNT_MAX else Absence.ABSURD


def _drop_absurd(read: dict[str, int | Absence], *, max_bytes: int | None) -> None:
    """Mark what contradicts the VM's size or the guest's own total."""
    total = read["total_bytes"]
    if isinstance(total, int) and (total == 0 or (max_bytes is not None and total > max_bytes)):
        read["total_bytes"] = total = Absence.ABSURD
    bound_bytes = total if isinstance(total, int) else max_bytes
    for name in _PARTS_OF_TOTAL:
        part = read[name]
        if isinstance(part, int) and bound_bytes is not None and part > bound_bytes:
            read[name] = Absence.ABSURD


class SampleAge:
    """How old the last sample is, by two clocks, the greater age counting.

    The time stamp is the host's wall clock, which may be set back: a frozen sample would look
    fresh until that clock has caught up. Since when the stamp has not moved is measured on the
    monotonic clock, but only from the first look.
    """

    def __init__(self) -> None:
        self._stamp_wall_s: float | None = None
        self._seen_s = 0.0

    def age_s(self, stamp_wall_s: float | None, *, now_s: float, wall_s: float) -> float:
        """Seconds since the sample was taken; zero when there is none."""
        if stamp_wall_s is None:
            return 0.0
        if stamp_wall_s != self._stamp_wall_s:
            self._stamp_wall_s, self._seen_s = stamp_wall_s, now_s
        return max(0.0, wall_s - stamp_wall_s, now_s - self._seen_s)
