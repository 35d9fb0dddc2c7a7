"""Parses Firecracker's answers, believing nothing of what the guest says in them.

Four units in one API: RAM and the balloon's target in MiB, what the balloon holds in pages of
4 KiB, the guest's figures in bytes. Amounts are of the balloon, not of the guest.
"""

from dataclasses import dataclass

from aerostat.drivers.http_api.answers import count, fields, figures, flag, needed, text
from aerostat.drivers.http_api.guest import BalloonFeatures
from aerostat.model.figures import Absence
from aerostat.model.guest import Hinting, RunState
from aerostat.units import MIB, PAGE_BYTES

_KEYS = {
    "total_bytes": "total_memory",
    "available_bytes": "available_memory",
    "free_bytes": "free_memory",
    "cache_bytes": "disk_caches",
    "swap_in_bytes": "swap_in",
    "swap_out_bytes": "swap_out",
    "major_faults": "major_faults",
    "minor_faults": "minor_faults",
    "oom_kills": "oom_kill",
    "alloc_stalls": "alloc_stall",
}
_RUN_STATES = {"Running": RunState.RUNNING, "Paused": RunState.PAUSED}
_HINTING_DONE = 1  # and 0: stop
_NOT_STARTED = "Not started"
_NO_ID = "anonymous-instance"  # what every Firecracker is called that was given no --id


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What Firecracker says of itself."""

    id: str | None  # None: it was given none
    run_state: RunState | None  # None: its VM has not been started


def parse_instance(untrusted: object) -> Instance:
    """Parse the answer to ``GET /``.

    Raises:
        AnswerViolationError: it has not the form that is promised.
    """
    answer = fields(untrusted, "the answer to GET /")
    state, identifier = text(answer, "state"), text(answer, "id")
    return Instance(
        id=None if identifier == _NO_ID else identifier,
        run_state=None if state == _NOT_STARTED else _RUN_STATES.get(state or "", RunState.UNKNOWN),
    )


def parse_machine(untrusted: object) -> int:
    """RAM in bytes, from the answer to ``GET /machine-config``."""
    return needed(untrusted, "mem_size_mib") * MIB


def parse_features(untrusted: object) -> BalloonFeatures:
    """What the balloon was made with, from the answer to ``GET /balloon``."""
    answer = fields(untrusted, "the answer to GET /balloon")
    return BalloonFeatures(
        deflates_on_oom=flag(answer, "deflate_on_oom"),
        reports_free_pages=flag(answer, "free_page_reporting"),
        hints_free_pages=flag(answer, "free_page_hinting"),
        statistics_period_s=count(answer, "stats_polling_interval_s") or 0,
    )


def parse_vsock(untrusted: object) -> str | None:
    """The path of its vsock, as its process means it, from the answer to ``GET /vm/config``."""
    answer = fields(untrusted, "the answer to GET /vm/config")
    return text(answer.get("vsock"), "uds_path")


def parse_balloon_bytes(untrusted: object) -> int:
    """What the balloon holds, from the answer to ``GET /balloon/statistics``."""
    return needed(untrusted, "actual_pages") * PAGE_BYTES


def parse_target_bytes(untrusted: object) -> int | None:
    """What the balloon was asked to hold last, by whomever, from the same answer."""
    pages = count(untrusted, "target_pages")
    return None if pages is None else pages * PAGE_BYTES


def parse_hinting(untrusted: object) -> Hinting:
    """How far a run is, from the answer to ``GET /balloon/hinting/status``.

    A run has a number above those of the balloon's own commands; the host says when it is done.
    """
    return Hinting.RUNNING if needed(untrusted, "host_cmd") > _HINTING_DONE else Hinting.IDLE


def parse_figures(untrusted: object) -> dict[str, int | Absence]:
    """The guest's figures from the same answer; all are absent until its driver has reported."""
    return figures(untrusted, _KEYS)
