"""Simulated guests behind QMP sockets, so that the real driver can be run against a whole world."""

from aerostat.sim.qemu.machines import Machines

__all__ = ["Machines"]
