"""The QMP driver: all VMs whose monitor sockets match."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from aerostat.drivers.qmp.holders import is_visited
from aerostat.drivers.qmp.settings import QmpSettings
from aerostat.drivers.qmp.visits import QmpVisits
from aerostat.drivers.qmp.watch import QmpWatch
from aerostat.drivers.sockets.driver import FootprintOf, SocketDriver
from aerostat.drivers.sockets.watch import Watch
from aerostat.ports.clock import Clock
from aerostat.ports.custody import CustodyOf


class QmpDriver(SocketDriver):
    """The port ``HypervisorDriver`` on QEMU's monitors.

    A VM's id is its UUID, else its name, else its socket's name. A VM that has not yet said who
    it is, and one that claims the id of another, are listed by the path of their socket.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        clock: Clock,
        settings: QmpSettings | None = None,
        footprint_of: FootprintOf | None = None,
        custody_of: CustodyOf | None = None,
        listening: Callable[[], Iterable[Path]] | None = None,
    ) -> None:
        self._paces = settings if settings is not None else QmpSettings()
        super().__init__(
            patterns,
            clock=clock,
            settings=self._paces,
            footprint_of=footprint_of,
            custody_of=custody_of,
            listening=listening,
        )

    def new_watch(self, path: Path, label: str) -> Watch:
        """Watch one monitor socket; one that others use is only visited."""
        kind = QmpVisits if is_visited(path) else QmpWatch
        return kind(path, label=label, settings=self._paces, clock=self.clock, owner=self._roll)
