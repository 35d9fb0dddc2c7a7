"""What may be set on the libvirt driver, with defaults that suit a host of its own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtSettings:
    """Deadlines, paces and bounds; in seconds where nothing else is said."""

    connect_deadline_s: float = 5.0  # libvirtd started by its socket looks at QEMU first
    command_deadline_s: float = 2.0  # one read of all domains, or one target
    patience_s: float = 0.2  # figures of all domains take so long: one of them hangs, ask again
    patience_again_s: float = 0.1  # the same once one hangs: all that do are found before long
    silent_s: float = 2.0  # so long without figures, and a domain does not answer
    upkeep_s: float = 1.0  # how often jobs are looked at, and what is new is described
    reading_lanes: int = 16  # each domain that hangs costs one; libvirtd has 20 for everybody
    upkeep_lanes: int = 4
    command_lanes: int = 8
    disk_lanes: int = 2
    statistics_period_s: int = 1  # how often the guest's driver is to report
    arm_statistics: bool = True
    """Whether to switch the guest's reports on where they are off or slower; see QmpSettings."""
    agent_period_s: float | None = 2.0
    """How often pressure is read through a guest agent that is connected; None: never.

    libvirt then marks the domain as tainted (custom-ga-command), which changes nothing in it.
    """

    def __post_init__(self) -> None:
        assert self.statistics_period_s >= 1, "QEMU counts the period in whole seconds; 0 is off"
        assert self.patience_s < self.command_deadline_s
        assert self.reading_lanes >= 2, "one may hang"
