"""The port to a hypervisor."""

from collections.abc import Callable
from typing import Protocol

from aerostat.model.events import Event
from aerostat.model.guest import GuestId, GuestSnapshot

EventSink = Callable[[Event], None]
"""Takes an event at once and never blocks: the next round looks at it."""


class HypervisorDriver(Protocol):
    """Reads guests and sets their targets. Units and the meaning of "target" stay inside.

    Every operation ends within its own deadline, whatever one VM does. One driver may be used by
    several tasks at once; operations on one guest are serialised inside.
    """

    async def open(self, sink: EventSink) -> None:
        """Start following guests; events go to ``sink`` from now on."""
        ...

    async def list_guests(self) -> tuple[GuestId, ...]:
        """The guests that are there now, ordered; includes those that do not answer."""
        ...

    async def read_guest(self, guest: GuestId) -> GuestSnapshot:
        """Read one guest. One that does not answer is UNREACHABLE, not an error.

        Raises:
            GuestGoneError: it is not there any more.
        """
        ...

    def unchanged(self, guest: GuestId) -> GuestSnapshot | None:
        """What was read of a guest, as old as it is by now, where asking could bring nothing new.

        None: read it. Asks nobody, and never blocks.
        """
        ...

    def measured(self, known: GuestSnapshot) -> GuestSnapshot:
        """The same with what the host measures of it by now; asks nobody, and never blocks.

        One that is not there any more, or of which nothing is measured, comes back as it is.
        """
        ...

    async def set_target(self, guest: GuestId, *, target_bytes: int) -> None:
        """Ask for a target. A return means accepted, not done.

        Raises:
            DriverUnavailableError: nothing was sent.
            DriverRefusedError: the hypervisor said no.
            OutcomeUnknownError: sent, and no answer came in time.
            GuestGoneError: it is not there any more.
        """
        ...

    async def close(self) -> None:
        """Let go of every guest, leaving targets as they are."""
        ...
