"""Parses Cloud Hypervisor's answers, believing nothing of what the guest says in them.

Sizes are bytes, all of them, and ``desired_balloon`` is the balloon's size, not the guest's.
"""

from dataclasses import dataclass

from aerostat.drivers.http_api.answers import count, fields, figures, flag, needed, text
from aerostat.drivers.http_api.guest import BalloonFeatures
from aerostat.drivers.report import GuestReport, report_of
from aerostat.model.guest import RunState

_KEYS = {
    "total_bytes": "total_memory",
    "available_bytes": "available_memory",
    "free_bytes": "free_memory",
    "cache_bytes": "disk_caches",
    "swap_in_bytes": "swap_in",
    "swap_out_bytes": "swap_out",
    "major_faults": "major_faults",
    "minor_faults": "minor_faults",
    "oom_kills": "oom_kills",
    "alloc_stalls": "alloc_stalls",
}
_RUN_STATES = {
    "Running": RunState.RUNNING,
    "Paused": RunState.PAUSED,
    "BreakPoint": RunState.PAUSED,
    "Shutdown": RunState.SHUTDOWN,
}
_NOT_RUN_YET = "Created"  # also what a VM becomes again that has been shut down


@dataclass(frozen=True, slots=True, kw_only=True)
class VmInfo:
    """What vm.info says of a VM."""

    run_state: RunState | None  # None: it is configured, and does not run
    uuid: str | None
    max_bytes: int
    actual_bytes: int | None
    balloon: BalloonFeatures | None  # None: it has none
    target_bytes: int | None = None  # the balloon that stands, whoever asked for it
    vsock: str | None = None  # the path of its socket, as its process means it


def parse_info(untrusted: object) -> VmInfo:
    """Parse the answer to vm.info.

    Raises:
        AnswerViolationError: it has not the form that is promised.
    """
    answer = fields(untrusted, "the answer to vm.info")
    config = fields(answer.get("config"), "'config' of vm.info")
    state = text(answer, "state")
    platform = config.get("platform")
    balloon = config.get("balloon")
    max_bytes = _memory_bytes(fields(config.get("memory"), "'config.memory' of vm.info"))
    return VmInfo(
        run_state=None if state == _NOT_RUN_YET else _RUN_STATES.get(state or "", RunState.UNKNOWN),
        uuid=text(platform, "uuid") or text(platform, "system_uuid"),
        max_bytes=max_bytes,
        actual_bytes=count(answer, "memory_actual_size"),
        balloon=None
        if balloon is None
        else BalloonFeatures(
            deflates_on_oom=flag(balloon, "deflate_on_oom"),
            reports_free_pages=flag(balloon, "free_page_reporting"),
        ),
        target_bytes=None if balloon is None else _target_bytes(balloon, max_bytes),
        vsock=text(config.get("vsock"), "socket"),
    )


def _target_bytes(balloon: object, max_bytes: int) -> int | None:
    size_bytes = count(balloon, "size")
    return None if size_bytes is None or size_bytes > max_bytes else max_bytes - size_bytes


def _memory_bytes(memory: object) -> int:
    """All RAM, with what was plugged in later; with zones, theirs is all there is."""
    size_bytes = needed(memory, "size") + (count(memory, "hotplugged_size") or 0)
    zones = memory.get("zones") if isinstance(memory, dict) else None
    for zone in zones if isinstance(zones, list) else ():
        size_bytes += needed(zone, "size") + (count(zone, "hotplugged_size") or 0)
    return size_bytes


def parse_balloon_stats(untrusted: object, *, max_bytes: int | None) -> GuestReport:
    """Parse the answer to vm.balloon-stats, whose time stamp is in milliseconds.

    Raises:
        AnswerViolationError: it has not the form that is promised.
    """
    answer = fields(untrusted, "the answer to vm.balloon-stats")
    updated_ms = count(answer, "last_update") or 0
    stats = figures(answer.get("stats"), _KEYS)
    return report_of(stats, updated_wall_s=updated_ms / 1000, max_bytes=max_bytes)


def no_report() -> GuestReport:
    """What a guest has said whose driver never reported."""
    return report_of(figures(None, _KEYS), updated_wall_s=0.0, max_bytes=None)
