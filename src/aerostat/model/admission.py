"""Whether a VM may start, or come from another host: the answer, and what it rests on."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What is said to a VM that wants to be let in, and why. Values are stable."""

    ADMITTED = "admitted"
    NO_ROOM = "no_room"
    STARTS_REFUSED = "starts_refused"  # the ladder's present state lets nobody in
    ALREADY_HERE = "already_here"  # a VM of that name runs
    HOST_UNKNOWN = "host_unknown"  # no round has read the host


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The answer, and how much more would fit after it."""

    verdict: Verdict
    room_bytes: int | None  # for further VMs; None: not known

    @property
    def is_admitted(self) -> bool:
        """Whether it may come."""
        return self.verdict is Verdict.ADMITTED
