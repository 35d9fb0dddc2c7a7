"""What may be set on the QMP driver."""

from dataclasses import dataclass

from aerostat.drivers.sockets.settings import SocketSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class QmpSettings(SocketSettings):
    """Deadlines and paces, in seconds."""

    visit_every_s: float = 2.0  # monitors that others use; figures get older by that much
    visit_again_s: float = 1.0  # while a balloon moves there, or was asked to
    visit_overdue_s: float = 6.0  # not met for so long: unreachable, in words
