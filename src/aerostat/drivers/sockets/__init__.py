"""What all drivers share whose VMs have a socket each: found by globs, watched one by one."""

from aerostat.drivers.sockets.driver import SocketDriver
from aerostat.drivers.sockets.settings import SocketSettings

__all__ = ["SocketDriver", "SocketSettings"]
