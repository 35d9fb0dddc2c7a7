"""All that is known of one VM: from its process, its monitor, or both."""

from dataclasses import dataclass

from aerostat.doctor.vm_monitor import VmBalloon, VmMonitor
from aerostat.doctor.vm_process import VmProcess
from aerostat.ports.custody import Custody


@dataclass(frozen=True, slots=True, kw_only=True)
class VmFacts:
    """One VM; what the two sources tell is joined, the monitor's word counting more."""

    name: str
    known_platform: str | None = None  # by who told of it; None: its process shows it
    process: VmProcess | None = None  # None: not visible from here
    monitor: VmMonitor | None = None  # None: it could not be asked
    monitor_trouble: str | None = None  # why not
    custody: Custody = Custody()  # what its platform says of it

    @property
    def platform(self) -> str:
        """Who started it, as far as that shows."""
        if self.known_platform is not None:
            return self.known_platform
        return self.process.platform if self.process is not None else "qemu"

    @property
    def has_balloon(self) -> bool:
        """Whether it has a balloon device."""
        has_device = self.monitor is not None and self.monitor.balloon is not None
        return has_device or (self.process is not None and self.process.has_balloon)

    @property
    def has_vfio(self) -> bool:
        """Whether a device of the host writes to its memory."""
        return self._either("has_vfio")

    @property
    def has_hugetlb(self) -> bool:
        """Whether its memory is in huge pages of a fixed pool."""
        return self._either("has_hugetlb")

    @property
    def is_confidential(self) -> bool:
        """Whether its memory is encrypted against the host."""
        return self._either("is_confidential")

    @property
    def is_locked(self) -> bool:
        """Whether its memory is locked."""
        return self._either("is_locked")

    @property
    def is_shared(self) -> bool:
        """Whether other processes map its memory too."""
        return self._either("is_shared")

    @property
    def balloon(self) -> VmBalloon | None:
        """What the balloon device says, where it could be asked."""
        return None if self.monitor is None else self.monitor.balloon

    @property
    def deflates_on_oom(self) -> bool | None:
        """Whether the device offers to let go when the guest is out of memory."""
        return self._first("deflates_on_oom")

    @property
    def reports_free_pages(self) -> bool | None:
        """Whether the device offers to take free pages back by itself."""
        return self._first("reports_free_pages")

    def _either(self, name: str) -> bool:
        return any(bool(getattr(source, name)) for source in self._sources())

    def _first(self, name: str) -> bool | None:
        sources = (self.monitor.balloon if self.monitor is not None else None, self.process)
        values = [getattr(source, name, None) for source in sources]
        return next((bool(value) for value in values if value is not None), None)

    def _sources(self) -> list[VmMonitor | VmProcess]:
        return [source for source in (self.monitor, self.process) if source is not None]
