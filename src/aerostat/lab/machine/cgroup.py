"""A memory cgroup for each lab machine, so that the host's own figure of it is exact.

Works with cgroup v1's memory hierarchy and with v2 where the controller may be enabled; where
neither is to be had, the reason is told and machines run without.
"""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "aerostat-lab-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """A directory below which memory cgroups can be made."""

    root: Path
    version: int  # 1 or 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryGroup:
    """The memory cgroup of one machine."""

    path: Path
    version: int

    @property
    def procs(self) -> Path:
        """The file a process joins by writing its id."""
        return self.path / "cgroup.procs"

    def has(self, pid: int) -> bool:
        """Tell whether a process is in the group."""
        try:
            return str(pid) in self.procs.read_text().split()
        except OSError:
            return False

    def usage_bytes(self) -> int | None:
        """Memory charged to the group, page cache included."""
        name = "memory.usage_in_bytes" if self.version == 1 else "memory.current"
        try:
            return int((self.path / name).read_text())
        except (OSError, ValueError):
            return None

    def oom_kills(self) -> int | None:
        """How often the host's kernel killed a process for the group's limit."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        with contextlib.suppress(OSError):
            match = re.search(r"^oom_kill (\d+)$", (self.path / name).read_text(), re.MULTILINE)
            return int(match[1]) if match else None
        return None

    def remove(self) -> bool:
        """Remove it, and the lab's own directory above with the last one; False: still busy."""
        try:
            self.path.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return False
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()
        return True


def find_hierarchy() -> Hierarchy | str:
    """Find where this process may make memory cgroups; in words why nowhere."""
    reasons = []
    for version, root in _candidates():
        if not os.access(root, os.W_OK):
            reasons.append(f"{root} is not writable")
        elif version == 2 and not _has_controller(root):
            reasons.append(f"{root} does not offer the memory controller")
        else:
            return Hierarchy(root=root, version=version)
    return "; ".join(reasons) or "no cgroup file system with a memory controller is mounted"


def create_group(hierarchy: Hierarchy, name: str) -> MemoryGroup | str:
    """Make the group of one machine of this process; in words why not."""
    parent = hierarchy.root / f"{_PREFIX}{os.getpid()}"
    group = MemoryGroup(path=parent / name, version=hierarchy.version)
    try:
        parent.mkdir(exist_ok=True)
        if hierarchy.version == 2:
            _enable(hierarchy.root)
            _enable(parent)
        group.path.mkdir()
    except OSError as error:
        return f"cannot make a memory cgroup: {error}"
    if group.usage_bytes() is None:
        group.remove()
        return f"{group.path} has no memory controller"
    return group


def clean_stale(hierarchy: Hierarchy) -> list[Path]:
    """Remove the empty groups of lab processes that are gone; returns those that are still busy.

    The kernel keeps a group for a moment after its last process, which may itself be dying still.
    """
    left = []
    for parent in hierarchy.root.glob(f"{_PREFIX}*"):
        pid = parent.name.removeprefix(_PREFIX)
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                for child in (path for path in parent.iterdir() if path.is_dir()):
                    with contextlib.suppress(OSError):
                        child.rmdir()
            try:
                parent.rmdir()
            except FileNotFoundError:
                pass  # another one cleans up as well
            except OSError:
                left.append(parent)
    return left


def _candidates() -> list[tuple[int, Path]]:
    """The roots of the mounted hierarchies, then this process's own places in them."""
    own = _own_places()
    found: list[tuple[int, Path]] = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _device, mount, kind, options, *_ = line.split(" ")
        if kind == "cgroup" and "memory" in options.split(","):
            found += [(1, Path(mount)), (1, Path(mount) / own.get("memory", ""))]
        elif kind == "cgroup2":
            found += [(2, Path(mount)), (2, Path(mount) / own.get("", ""))]
    return list(dict.fromkeys(found))


def _own_places() -> dict[str, str]:
    """Where this process is, by v1 controller; "" is v2."""
    places = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            places[controller] = path.lstrip("/")
    return places


def _has_controller(root: Path) -> bool:
    try:
        return "memory" in (root / "cgroup.controllers").read_text().split()
    except OSError:
        return False


def _enable(group: Path) -> None:
    """Memory is counted below; and disks are throttled, where the kernel offers that."""
    control = group / "cgroup.subtree_control"
    enabled = control.read_text().split()
    if "memory" not in enabled:
        control.write_text("+memory")
    if "io" not in enabled and "io" in (group / "cgroup.controllers").read_text().split():
        control.write_text("+io")
