"""What may be set on the QMP driver."""

from dataclasses import dataclass

from aerostat.drivers.sockets.settings import SocketSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class QmpSettings(SocketSettings):
    """Deadlines and paces, in seconds."""
