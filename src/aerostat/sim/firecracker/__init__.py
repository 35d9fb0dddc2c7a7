"""A stand-in for Firecracker: simulated guests behind its HTTP API."""

from aerostat.sim.firecracker.machines import Firecrackers

__all__ = ["Firecrackers"]
