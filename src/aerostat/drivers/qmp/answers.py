"""Parses the answers of QEMU itself: sizes, names, run states, migration, object lists."""

from dataclasses import dataclass

from aerostat.drivers.sockets.errors import AnswerViolationError
from aerostat.model.guest import RunState

_RUN_STATES = {
    "running": RunState.RUNNING,
    "paused": RunState.PAUSED,
    "suspended": RunState.PAUSED,  # asleep by its own wish: its balloon driver does not run
    "prelaunch": RunState.PAUSED,
    "debug": RunState.PAUSED,
    "io-error": RunState.PAUSED,
    "watchdog": RunState.PAUSED,
    "inmigrate": RunState.MIGRATING,
    "postmigrate": RunState.MIGRATING,
    "finish-migrate": RunState.MIGRATING,
    "save-vm": RunState.MIGRATING,
    "restore-vm": RunState.MIGRATING,
    "colo": RunState.MIGRATING,
    "shutdown": RunState.SHUTDOWN,
    "guest-panicked": RunState.CRASHED,
    "internal-error": RunState.CRASHED,
}
_MIGRATION_OVER = frozenset({"none", "completed", "failed", "cancelled"})
_NO_UUID = "00000000-0000-0000-0000-000000000000"


def parse_size(untrusted: object, key: str) -> int:
    """A size in bytes under ``key``: a whole number from 0 to 2**63 - 1."""
    value = _field(untrusted, key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise AnswerViolationError(f"'{key}' is not a size in bytes")
    return value


def parse_dimm_bytes(untrusted: object) -> int:
    """The sum of all DIMMs, from the answer to query-memory-devices.

    A balloon's size is counted from RAM and DIMMs, and from nothing else that can be plugged in
    (get_current_ram_size in QEMU's virtio-balloon.c).
    """
    if not isinstance(untrusted, list):
        raise AnswerViolationError("the answer to query-memory-devices is not a list")
    dimms = (entry for entry in untrusted if parse_text(entry, "type") == "dimm")
    return sum(parse_size(_field(dimm, "data"), "size") for dimm in dimms)


def parse_text(untrusted: object, key: str) -> str | None:
    """A text under ``key``; None if there is none or it is empty."""
    value = untrusted.get(key) if isinstance(untrusted, dict) else None
    return value if isinstance(value, str) and value else None


def parse_uuid(untrusted: object) -> str | None:
    """The VM's UUID; None if it was not given one."""
    text = parse_text(untrusted, "UUID")
    return text if text != _NO_UUID else None


def parse_run_state(status: object, migration: object) -> RunState:
    """The run state from the answers to query-status and query-migrate.

    A VM that is being migrated away runs on; it is MIGRATING all the same. A migration that is
    over says nothing: after one that failed the VM simply runs.
    """
    state = _RUN_STATES.get(parse_text(status, "status") or "", RunState.UNKNOWN)
    migrates = (parse_text(migration, "status") or "none") not in _MIGRATION_OVER
    return RunState.MIGRATING if migrates and state in _MAY_MIGRATE else state


def parse_disk_read_bytes(untrusted: object) -> int | None:
    """What the guest has read of all its disks, from the answer to query-blockstats.

    Only the devices themselves count: what lies below them reads on its own account. None: it has
    no disk.
    """
    if not isinstance(untrusted, list):
        raise AnswerViolationError("the answer to query-blockstats is not a list")
    reads = [parse_size(_field(entry, "stats"), "rd_bytes") for entry in untrusted]
    return sum(reads) if reads else None


_MAY_MIGRATE = (RunState.RUNNING, RunState.PAUSED)


def parse_properties(untrusted: object) -> tuple[tuple[str, str], ...]:
    """Names and types of the answer to qom-list; entries of another form are left out."""
    if not isinstance(untrusted, list):
        raise AnswerViolationError("the answer to qom-list is not a list")
    pairs = ((parse_text(entry, "name"), parse_text(entry, "type")) for entry in untrusted)
    return tuple((name, kind) for name, kind in pairs if name is not None and kind is not None)


def _field(untrusted: object, key: str) -> object:
    if not isinstance(untrusted, dict) or key not in untrusted:
        raise AnswerViolationError(f"the answer has no '{key}'")
    field: object = untrusted[key]
    return field


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What a VM's background jobs mean for its memory."""

    is_backing_up: bool = False
    is_saving: bool = False  # a snapshot with its memory is being saved or loaded

    @property
    def is_any(self) -> bool:
        """Whether to look again soon."""
        return self.is_backing_up or self.is_saving


def parse_jobs(untrusted: object) -> Jobs:
    """The jobs from the answer to query-jobs; entries of another form are left out.

    A mirror is none of these: it may stay ready for months, and a migration that uses one shows as
    a migration once memory moves.
    """
    if not isinstance(untrusted, list):
        raise AnswerViolationError("the answer to query-jobs is not a list")
    active = {
        parse_text(entry, "type")
        for entry in untrusted
        if parse_text(entry, "status") not in _JOB_OVER
    }
    return Jobs(is_backing_up="backup" in active, is_saving=not _SAVING.isdisjoint(active))


_JOB_OVER = frozenset({None, "undefined", "concluded", "null"})
_SAVING = frozenset({"snapshot-save", "snapshot-load"})
