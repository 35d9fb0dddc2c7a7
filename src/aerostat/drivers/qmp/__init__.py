"""QEMU by its own monitor protocol, QMP, on Unix sockets of this host."""

from aerostat.drivers.qmp.driver import QmpDriver
from aerostat.drivers.qmp.settings import QmpSettings

__all__ = ["QmpDriver", "QmpSettings"]
