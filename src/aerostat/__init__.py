"""Aerostat balances the memory of a virtual-machine host."""

__version__ = "0.1.0"
