"""Finds the cgroups that one process has to itself: where its memory is counted, and its waits.

Two hierarchies may tell. The one with the memory controller (v1 where that is mounted, else v2)
has the charge, its limits and what lies in swap. The v2 hierarchy has the waits, with or without
that controller: on a host with v1 memory control a VM may have a cgroup of its own in both.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.cgroup_figures import CgroupFigures, read_figures
from aerostat.host.proc_text import read_record_if_any, read_text_if_any

_DESCENDANTS_MAX = 64  # a VM's own cgroup has a handful (libvirt: one per vCPU on some hosts)

LOOK_AGAIN_S = 5.0
"""So often it is looked whether a cgroup is still the process's own; measured: 100 us a VM."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGroups:
    """The directories of a process's own cgroups; ``None``: it has none to itself."""

    charge: Path | None = None  # where its memory is counted
    is_v2: bool = False  # the kind of ``charge``
    waits: Path | None = None  # where its waits for memory are counted


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


@dataclass(slots=True, kw_only=True)
class _Known:
    membership: str
    groups: OwnGroups
    looked_s: float


class CgroupReader:
    """Reads what the kernel counts in a process's own memory cgroups, below ``root``."""

    def __init__(self, *, now_s: Callable[[], float], root: Path = Path("/")) -> None:
        self._root = root
        self._proc = str(root / "proc")
        self._now_s = now_s
        self._known: dict[int, _Known] = {}

    def read(self, pid: int) -> CgroupFigures:
        """The figures of the cgroups that ``pid`` has to itself; all absent where it has none.

        A cgroup that holds another process, and the root of a hierarchy, say nothing about this
        one. Where its cgroups are is remembered for ``LOOK_AGAIN_S``, unless it is moved.
        """
        groups = self.groups(pid)
        return read_figures(groups.charge, is_v2=groups.is_v2, waits=groups.waits)

    def forget(self, pid: int) -> None:
        """Drop what is known of a process that is gone."""
        self._known.pop(pid, None)

    def groups(self, pid: int) -> OwnGroups:
        """The cgroups that ``pid`` has to itself."""
        membership = read_record_if_any(f"{self._proc}/{pid}/cgroup")
        if membership is None:
            self.forget(pid)
            return OwnGroups()
        now_s = self._now_s()
        known = self._known.get(pid)
        is_new = known is None or known.membership != membership
        if known is None or is_new or now_s - known.looked_s >= LOOK_AGAIN_S:
            groups = self._look(pid, membership)
            known = _Known(membership=membership, groups=groups, looked_s=now_s)
            self._known[pid] = known
        return known.groups

    def _look(self, pid: int, membership: str) -> OwnGroups:
        mounts = read_text_if_any(self._root / "proc/self/mountinfo")
        hierarchies = () if mounts is None else parse_mountinfo(mounts)
        charge, waits, is_v2 = None, None, False
        for hierarchy in hierarchies:
            path = parse_membership(membership, is_v2=hierarchy.is_v2)
            if path is None:
                continue
            found = self._nearest(hierarchy, path, hierarchy.usage_file)
            if charge is None and found is not None:
                charge, is_v2 = found, hierarchy.is_v2
            if hierarchy.is_v2:
                waits = self._nearest(hierarchy, path, "memory.pressure")
        own = {group: _processes_below(group) == {pid} for group in {charge, waits} - {None}}
        return OwnGroups(
            charge=charge if own.get(charge) else None,
            is_v2=is_v2,
            waits=waits if own.get(waits) else None,
        )

    def _nearest(self, hierarchy: MemoryHierarchy, path: str, file: str) -> Path | None:
        """The nearest cgroup, from the process upwards, that has such a file.

        Not every cgroup of v2 does: libvirt puts the threads of a VM in cgroups below the VM's own.
        """
        mount = self._root / hierarchy.mount_point.lstrip("/")
        inside = path.removeprefix(hierarchy.root) if hierarchy.root != "/" else path
        directory = mount / inside.strip("/")
        while directory != mount and directory.is_relative_to(mount):
            if (directory / file).exists():
                return directory
            directory = directory.parent
        return None


def _processes_below(directory: Path | None) -> set[int]:
    """Processes in a cgroup and all below it; thread cgroups, which list none, are left out."""
    processes: set[int] = set()
    for cgroup in () if directory is None else _with_descendants(directory):
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
