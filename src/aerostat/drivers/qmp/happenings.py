"""Turns QEMU's events into the model's; those that say nothing about memory are left out."""

from collections.abc import Mapping
from typing import Any

from aerostat.drivers.qmp.answers import parse_size, parse_text
from aerostat.drivers.sockets.errors import AnswerViolationError
from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId

_LIFECYCLE = {
    "STOP": LifecycleKind.PAUSED,
    "RESUME": LifecycleKind.RESUMED,
    "SUSPEND": LifecycleKind.PAUSED,  # by the guest's own wish; no STOP comes with it
    "WAKEUP": LifecycleKind.RESUMED,
    "RESET": LifecycleKind.RESET,
    "POWERDOWN": LifecycleKind.SHUTDOWN_ASKED,  # the moment its ACPI button is pressed
    "SHUTDOWN": LifecycleKind.SHUTDOWN,
    "GUEST_PANICKED": LifecycleKind.CRASHED,
}


def parse_event(guest: GuestId, name: str, untrusted: Mapping[str, Any]) -> Event | None:
    """The model's event, or None for one that is not followed or makes no sense."""
    if name in _LIFECYCLE:
        # Why it was reset or ended, in QEMU's word: "guest-shutdown", "host-qmp-quit" and so on.
        detail = parse_text(untrusted, "reason")
        return LifecycleChanged(guest=guest, kind=_LIFECYCLE[name], detail=detail)
    if name != "BALLOON_CHANGE":
        return None
    try:
        return BalloonMoved(guest=guest, actual_bytes=parse_size(untrusted, "actual"))
    except AnswerViolationError:
        return None
