"""What every technique of the host can be asked."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from aerostat.ports.errors import AerostatError

VM_LIMIT = "limit"
SPARING = "spare_"
"""What changes of VMs' own cgroups are called in the undo log, or begin with."""


class TechniqueError(AerostatError):
    """A technique could not be read, changed or put back; the sentence says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Whether a technique can be used on this host."""

    is_usable: bool
    why: str  # the evidence; where it is not usable, also what would make it so
    warning: str | None = None  # what a user has to know before switching it on


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What a technique saves and costs now. None: the kernel does not say.

    Counters count since the host booted; only differences mean anything.
    """

    taken_bytes: int | None = None  # guest memory that lies with the technique
    held_bytes: int | None = None  # host memory the technique needs for it
    in_bytes: int | None = None  # given back to guests: counter
    out_bytes: int | None = None  # taken from guests: counter
    cpu_s: float | None = None  # of the kernel's thread for it: counter

    @property
    def saved_bytes(self) -> int | None:
        """Host memory that is free because of it; may be negative."""
        if self.taken_bytes is None:
            return None
        return self.taken_bytes - (self.held_bytes or 0)


State_contra = TypeVar("State_contra", contravariant=True)


class Technique(Protocol[State_contra]):
    """One way of taking memory back."""

    name: str

    def probe(self) -> Probe:
        """Look whether it is usable here; changes nothing."""
        ...

    def read(self) -> Saving:
        """Read what it saves and costs now."""
        ...

    def apply(self, state: State_contra) -> None:
        """Bring about a declared state.

        Raises:
            TechniqueError: the kernel refused; what had been changed until then can be restored.
        """
        ...

    def restore(self) -> list[str]:
        """Put back what was there before; in words what could not be."""
        ...
