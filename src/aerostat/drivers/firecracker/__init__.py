"""Firecracker by its HTTP API on Unix sockets of this host."""

from aerostat.drivers.firecracker.driver import FirecrackerDriver

__all__ = ["FirecrackerDriver"]
