"""Traces: many VMs' use of memory over time, read from files (docs/traces.md)."""

from aerostat.sim.trace.read import read_trace
from aerostat.sim.trace.trace import Trace, TraceError

__all__ = ["Trace", "TraceError", "read_trace"]
