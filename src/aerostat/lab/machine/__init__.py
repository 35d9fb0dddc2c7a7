"""One lab machine: its description, its QEMU, what it says and how it is."""

from aerostat.lab.machine.cgroup import Hierarchy, MemoryGroup, clean_stale, find_hierarchy
from aerostat.lab.machine.errors import MachineError
from aerostat.lab.machine.health import Health, HealthState
from aerostat.lab.machine.lines import Hello
from aerostat.lab.machine.running import Machine
from aerostat.lab.machine.spec import MachineSpec, WorkloadSpec

__all__ = [
    "Health",
    "HealthState",
    "Hello",
    "Hierarchy",
    "Machine",
    "MachineError",
    "MachineSpec",
    "MemoryGroup",
    "WorkloadSpec",
    "clean_stale",
    "find_hierarchy",
]
