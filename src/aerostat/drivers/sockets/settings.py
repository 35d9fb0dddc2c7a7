"""What may be set on every driver that works over sockets; the defaults suit a host of its own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """Deadlines and paces, in seconds."""

    connect_deadline_s: float = 2.0  # nothing said by then: the VM is unreachable, not waited for
    command_deadline_s: float = 2.0  # one read of a VM, or one target
    rescan_s: float = 1.0  # how often sockets are looked for
    retry_s_max: float = 5.0  # between two attempts at a socket that refuses
    statistics_period_s: int = 1  # how often the guest's driver is to report
    arm_statistics: bool = True
    """Whether to have the guest report, where it does so more slowly or not at all.

    Without that a guest of QEMU reports once, when its driver loads, and never again: its figures
    are stale for ever, so nothing is taken from it. It is the one thing that the driver changes in
    a VM by itself, and it changes no memory.
    """

    def __post_init__(self) -> None:
        assert self.statistics_period_s >= 1, "the period is whole seconds; 0 is off"
