"""The port to the host's own memory figures."""

from typing import Protocol

from aerostat.model.host import HostMemory


class HostSensor(Protocol):
    """Reads the host."""

    def read(self) -> HostMemory:
        """Read now; takes well under a millisecond.

        Raises:
            SensorError: a figure that is always there was not.
        """
        ...
