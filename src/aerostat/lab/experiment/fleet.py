"""What an experiment needs of its guests, whether they are real or simulated."""

from collections.abc import Mapping
from typing import Protocol

from aerostat.lab.recording import WorkloadSample
from aerostat.ports.clock import Clock
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.sensor import HostSensor


class Fleet(Protocol):
    """Guests that run a schedule's workload, and the ports to balance them through."""

    @property
    def accelerator(self) -> str:
        """How guest code runs: ``kvm``, ``tcg`` or ``simulated``."""
        ...

    @property
    def machine(self) -> Mapping[str, str | int | float]:
        """What it all ran on."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures has to know."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock the guests live by."""
        ...

    @property
    def sensor(self) -> HostSensor:
        """The host they live on."""
        ...

    def new_driver(self) -> HypervisorDriver:
        """A driver for a loop of one's own."""
        ...

    def set_hot(self, guest: str, hot_bytes: int) -> None:
        """Change the size of a guest's hot set."""
        ...

    def next_sample(self, guest: str) -> WorkloadSample | None:
        """The oldest sample nobody has taken yet."""
        ...

    def trouble(self, guest: str) -> str | None:
        """Why this guest's figures are void, in words; None while it is well."""
        ...

    def held_bytes(self, guest: str) -> int | None:
        """The host's own measure of the VM."""
        ...

    def cpu_s(self) -> float | None:
        """CPU time of all the VMs' processes so far."""
        ...
