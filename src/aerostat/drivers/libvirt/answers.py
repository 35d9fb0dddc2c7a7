"""Parses what libvirt says of a domain's state, jobs and balloon; sizes are KiB there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from aerostat.drivers.report import GuestReport, report_of
from aerostat.model.figures import Absence
from aerostat.model.guest import RunState
from aerostat.units import KIB

_STATES = {
    1: RunState.RUNNING,
    2: RunState.RUNNING,  # "blocked", a word of Xen's
    3: RunState.PAUSED,
    4: RunState.SHUTDOWN,
    6: RunState.CRASHED,
    7: RunState.PAUSED,  # asleep by its own wish
}
_PAUSED = 3
# Why it is paused, where that means its memory is on the move: migration, save, dump, snapshot,
# postcopy and postcopy that failed.
_PAUSED_IN_TRANSIT = frozenset({2, 3, 4, 7, 9, 12, 13})
_PAUSED_CRASHED = 10
_NO_JOB = 0
_STARTING = 1
_BACKUP = 9

_SIZES = {
    "total_bytes": "balloon.available",  # of the guest's kernel; libvirt's word is not the guest's
    "available_bytes": "balloon.usable",
    "free_bytes": "balloon.unused",
    "cache_bytes": "balloon.disk_caches",
    "swap_in_bytes": "balloon.swap_in",
    "swap_out_bytes": "balloon.swap_out",
}
_COUNTS = {"major_faults": "balloon.major_fault", "minor_faults": "balloon.minor_fault"}
_NEVER_TOLD = ("oom_kills", "alloc_stalls")  # libvirt 12 passes neither on
_MAX = 2**63 - 1


class Job(Enum):
    """What a job of libvirt's means for the domain's memory."""

    NONE = auto()
    BACKUP = auto()  # its disks are being copied
    TRANSIT = auto()  # migration, save, restore, dump, snapshot: hands off


@dataclass(frozen=True, slots=True, kw_only=True)
class Balloon:
    """What the bulk call says of a domain's memory."""

    actual_bytes: int | None
    max_bytes: int | None
    report: GuestReport | None  # None: libvirt could not ask its QEMU just now


def parse_state(fields: Mapping[str, object], job: Job) -> RunState:
    """The run state, a job included: a domain that is migrated away runs on."""
    state, reason = fields.get("state.state"), fields.get("state.reason")
    known = _STATES.get(state, RunState.UNKNOWN) if isinstance(state, int) else RunState.UNKNOWN
    if state == _PAUSED and reason in _PAUSED_IN_TRANSIT:
        return RunState.MIGRATING
    if state == _PAUSED and reason == _PAUSED_CRASHED:
        return RunState.CRASHED
    is_alive = known in (RunState.RUNNING, RunState.PAUSED)
    return RunState.MIGRATING if job is Job.TRANSIT and is_alive else known


def parse_job(job: Mapping[str, object]) -> Job:
    """The job from the answer to virDomainGetJobStats."""
    if job.get("type", _NO_JOB) == _NO_JOB or job.get("operation") == _STARTING:
        return Job.NONE
    return Job.BACKUP if job.get("operation") == _BACKUP else Job.TRANSIT


def parse_balloon(fields: Mapping[str, object]) -> Balloon:
    """Sizes, and the guest's report if libvirt could ask for it."""
    max_bytes = _figure(fields, "balloon.maximum", KIB)
    actual_bytes = _figure(fields, "balloon.current", KIB)
    report = None
    # The process's own size comes with every answer of QEMU's, and without one it does not.
    if "balloon.rss" in fields:
        updated = _figure(fields, "balloon.last-update", 1)
        read: dict[str, int | Absence] = {
            **{name: _figure(fields, key, KIB) for name, key in _SIZES.items()},
            **{name: _figure(fields, key, 1) for name, key in _COUNTS.items()},
            **dict.fromkeys(_NEVER_TOLD, Absence.NOT_REPORTED),
        }
        report = report_of(
            read,
            updated_wall_s=float(updated) if isinstance(updated, int) else 0.0,
            max_bytes=_or_none(max_bytes),
        )
    return Balloon(
        actual_bytes=_or_none(actual_bytes), max_bytes=_or_none(max_bytes), report=report
    )


def _figure(fields: Mapping[str, object], key: str, unit: int) -> int | Absence:
    if key not in fields:
        return Absence.NOT_REPORTED
    value = fields[key]
    if not isinstance(value, int) or isinstance(value, bool):
        return Absence.ABSURD
    return value * unit if 0 <= value <= _MAX // unit else Absence.ABSURD


def _or_none(value: int | Absence) -> int | None:
    return value if isinstance(value, int) else None
