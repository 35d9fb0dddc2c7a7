"""The port to whoever else looks after a VM on this host."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


class Lock(Enum):
    """What somebody else is just doing with a VM."""

    NONE = auto()
    BACKUP = auto()  # its disks are being copied
    TRANSIT = auto()  # migration, snapshot, suspend, restore: hands off


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """What the platform that started a VM says of it."""

    number: str | None = None  # the platform's own id for the VM: Proxmox's VMID
    tags: tuple[str, ...] = ()  # as the platform's users group its VMs
    rival: str | None = None  # another balancer moves its memory, or may; in words
    handover: str | None = None  # what ends that
    lock: Lock = Lock.NONE

    @property
    def why_left_alone(self) -> str | None:
        """Why nothing is moved in it and what would change that; None: it is ours."""
        if self.rival is None:
            return None
        return f"{self.rival}, so it is left alone: {self.handover}"


CustodyOf = Callable[[int], Custody | None]
"""Tells of the VM of a process, by its id, at once; None: no platform is known to look after it."""
