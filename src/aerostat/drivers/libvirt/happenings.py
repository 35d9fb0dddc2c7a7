"""Turns libvirt's events into the model's; others only say that a domain is to be looked at."""

from collections.abc import Sequence
from typing import Any

from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.units import KIB

# Started and stopped (2, 5) are not here: the list of domains tells who is there, and its words.
_LIFECYCLE = {
    3: LifecycleKind.PAUSED,
    4: LifecycleKind.RESUMED,
    6: LifecycleKind.SHUTDOWN,
    7: LifecycleKind.PAUSED,  # asleep by its own wish
    8: LifecycleKind.CRASHED,
}
_STOPPED = 5
_STOPPED_WORDS = ("shut down", "destroyed", "crashed", "migrated away", "saved", "failed")

REDESCRIBES = frozenset({"METADATA_CHANGE", "DEVICE_ADDED", "DEVICE_REMOVED", "AGENT_LIFECYCLE"})
"""After these a domain's XML says something else."""

STIRS = frozenset({"LIFECYCLE", "JOB_COMPLETED", "MIGRATION_ITERATION", "CLOSED", *REDESCRIBES})
"""After these it is worth looking at once at who is there and which jobs run."""


def parse_event(guest: GuestId, name: str, words: Sequence[Any]) -> Event | None:
    """The model's event, or None for one that changes nothing by itself."""
    kind: LifecycleKind | None = None
    if name == "BALLOON_CHANGE":
        actual_kib = words[0]
        return BalloonMoved(guest=guest, actual_bytes=actual_kib * KIB) if actual_kib >= 0 else None
    if name == "REBOOT":
        kind = LifecycleKind.RESET
    elif name == "POWERDOWN":
        kind = LifecycleKind.SHUTDOWN_ASKED
    elif name == "LIFECYCLE":
        kind = _LIFECYCLE.get(words[0])
    return None if kind is None else LifecycleChanged(guest=guest, kind=kind)


def parse_ending(name: str, words: Sequence[Any]) -> str | None:
    """Why a domain stopped, in words; None: this is no such event."""
    if name != "LIFECYCLE" or words[0] != _STOPPED:
        return None
    return _STOPPED_WORDS[words[1]] if 0 <= words[1] < len(_STOPPED_WORDS) else None
