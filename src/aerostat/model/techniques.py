"""What the host is to do with its own techniques: compression, swap, merging."""

from dataclasses import dataclass

from aerostat.model.guest import GuestId
from aerostat.model.host_state import LadderStep


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTake:
    """Take memory of one VM by a technique of the host; the guest knows nothing of it."""

    guest: GuestId
    pid: int
    size_bytes: int
    step: LadderStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """A VM that the operator spares a technique."""

    name: str
    pid: int
    steps: tuple[LadderStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueOrders:
    """One round's orders; nothing is ordered while earlier ones are being carried out."""

    switch_on: tuple[LadderStep, ...] = ()
    put_back: tuple[LadderStep, ...] = ()
    takes: tuple[HostTake, ...] = ()
    spared: tuple[Spared, ...] = ()  # those whom a technique must not touch once it is on

    def __bool__(self) -> bool:
        return bool(self.switch_on or self.put_back or self.takes)
