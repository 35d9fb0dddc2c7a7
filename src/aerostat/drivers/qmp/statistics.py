"""Parses what a guest's balloon driver reports, believing nothing of it.

QEMU passes the guest's own words on: all figures are untrusted. Sizes and swap traffic are bytes,
the rest are counts. QEMU 7.2 has no keys for kills and stalls; guests before 6.12 leave them unset.
"""

from typing import Any

from aerostat.drivers.report import GuestReport, report_of
from aerostat.drivers.sockets.errors import AnswerViolationError
from aerostat.model.figures import Absence

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
_UNSET = (-1, 2**64 - 1)  # QEMU's "no value", unsigned as QEMU prints it and signed
_COUNT_MAX = 2**63 - 1


def parse_guest_stats(untrusted: object, *, max_bytes: int | None) -> GuestReport:
    """Parse the answer to qom-get of guest-stats.

    Args:
        untrusted: the answer as it came.
        max_bytes: RAM of the VM; sizes above it cannot be. None: not known, so not checked.

    Raises:
        AnswerViolationError: the answer has not the form that QEMU's own part of it has.
    """
    stats, updated_s = _envelope(untrusted)
    read: dict[str, int | Absence] = {}
    for name, key in _KEYS.items():
        value = stats.get(key)
        if type(value) is int and 0 <= value <= _COUNT_MAX:
            read[name] = value  # as nearly all are: no call for those
        else:
            read[name] = _figure(stats, key)
    return report_of(read, updated_wall_s=float(updated_s), max_bytes=max_bytes)


def _envelope(untrusted: object) -> tuple[dict[str, Any], int]:
    if not isinstance(untrusted, dict):
        raise AnswerViolationError("the answer to guest-stats is not an object")
    stats, updated_s = untrusted.get("stats"), untrusted.get("last-update")
    if not isinstance(stats, dict):
        raise AnswerViolationError("the answer to guest-stats has no object 'stats'")
    if not isinstance(updated_s, int) or isinstance(updated_s, bool) or updated_s > _COUNT_MAX:
        raise AnswerViolationError("'last-update' of guest-stats is not a time")
    return stats, updated_s


def _figure(stats: dict[str, Any], key: str) -> int | Absence:
    if key not in stats:
        return Absence.NOT_REPORTED
    value = stats[key]
    if not isinstance(value, int) or isinstance(value, bool):
        return Absence.ABSURD
    if value in _UNSET:
        return Absence.UNSET
    return value if 0 <= value <= _COUNT_MAX else Absence.ABSURD
