"""Finds the memory cgroup of one process, and its charge if that process has it to itself.

The charge is the measure to believe: under transparent huge pages RSS and PSS fall while the host
has got nothing back. It includes page cache that the process filled, and not what is in swap.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.proc_text import read_count_if_any, read_text_if_any

_DESCENDANTS_MAX = 64  # a VM's own cgroup has a handful (libvirt: one per vCPU on some hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryHierarchy:
    """Where a cgroup hierarchy that may account for memory is mounted."""

    mount_point: str
    root: str  # the cgroup that is seen at the mount point; "/" but in containers
    is_v2: bool

    @property
    def usage_file(self) -> str:
        """The file that holds a cgroup's charge in bytes."""
        return "memory.current" if self.is_v2 else "memory.usage_in_bytes"


def parse_mountinfo(text: str) -> tuple[MemoryHierarchy, ...]:
    """Memory hierarchies of /proc/self/mountinfo, the v1 memory controller before v2.

    Where a v1 memory controller is mounted, the v2 hierarchy has none.
    """
    found = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if not separator or len(fields) < 5 or len(kinds) < 3:
            continue
        is_v2 = kinds[0] == "cgroup2"
        if is_v2 or (kinds[0] == "cgroup" and "memory" in kinds[2].split(",")):
            found.append(MemoryHierarchy(mount_point=fields[4], root=fields[3], is_v2=is_v2))
    return tuple(sorted(found, key=lambda hierarchy: hierarchy.is_v2))


def parse_membership(text: str, *, is_v2: bool) -> str | None:
    """The cgroup of a process in the memory hierarchy, from the text of /proc/PID/cgroup."""
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        is_it = number == "0" and not controllers if is_v2 else "memory" in controllers.split(",")
        if is_it and path.startswith("/"):
            return path
    return None


class CgroupReader:
    """Reads the charge of a process's own memory cgroup below ``root``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def read_charge(self, pid: int) -> int | None:
        """Bytes charged to the memory cgroup that ``pid`` has to itself; else None.

        A cgroup that holds another process, and the root of the hierarchy, say nothing about
        this one.
        """
        membership = read_text_if_any(self._root / f"proc/{pid}/cgroup")
        mounts = read_text_if_any(self._root / "proc/self/mountinfo")
        if membership is None or mounts is None:
            return None
        for hierarchy in parse_mountinfo(mounts):
            path = parse_membership(membership, is_v2=hierarchy.is_v2)
            directory = self._accounting_directory(hierarchy, path) if path else None
            if directory is not None:
                is_own = _processes_below(directory) == {pid}
                return read_count_if_any(directory / hierarchy.usage_file) if is_own else None
        return None

    def _accounting_directory(self, hierarchy: MemoryHierarchy, path: str) -> Path | None:
        """The nearest cgroup, from the process upwards, that accounts for memory.

        Not every cgroup of v2 does: libvirt puts the threads of a VM in cgroups below the VM's own.
        """
        mount = self._root / hierarchy.mount_point.lstrip("/")
        inside = path.removeprefix(hierarchy.root) if hierarchy.root != "/" else path
        directory = mount / inside.strip("/")
        while directory != mount and directory.is_relative_to(mount):
            if (directory / hierarchy.usage_file).exists():
                return directory
            directory = directory.parent
        return None


def _processes_below(directory: Path) -> set[int]:
    """Processes in a cgroup and all below it; thread cgroups, which list none, are left out."""
    processes: set[int] = set()
    for cgroup in _with_descendants(directory):
        text = read_text_if_any(cgroup / "cgroup.procs")
        processes.update(int(word) for word in (text or "").split() if word.isdigit())
    return processes


def _with_descendants(directory: Path) -> Iterator[Path]:
    waiting = [directory]
    for _ in range(_DESCENDANTS_MAX):
        if not waiting:
            return
        current = waiting.pop()
        yield current
        try:
            with os.scandir(current) as entries:
                waiting.extend(Path(e.path) for e in entries if e.is_dir(follow_symlinks=False))
        except OSError:  # the cgroup went away while we looked
            continue
