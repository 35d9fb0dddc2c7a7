"""What a machine has on the host beside its process: files and a memory cgroup."""

import asyncio
from pathlib import Path

from aerostat.lab.image import GuestImage
from aerostat.lab.machine.cgroup import MemoryGroup, create_group, find_hierarchy
from aerostat.lab.machine.command import MachineFiles
from aerostat.lab.machine.errors import MachineError
from aerostat.lab.machine.spec import MachineSpec
from aerostat.lab.machine.swap_file import allocate_swap_file, has_direct_io

_SOCKET_PATH_MAX = 107
_TAIL_BYTES = 65536
_REMOVE_S = 2.0
_RETRY_S = 0.02


class Belongings:
    """Made before QEMU starts, removed after its end."""

    def __init__(self, spec: MachineSpec, image: GuestImage, files: MachineFiles) -> None:
        self._spec = spec
        self._image = image
        self._files = files
        self._is_ours = False
        self.group: MemoryGroup | None = None
        self.notes: list[str] = []  # what is not as it should be on this host, in words

    def prepare(self) -> str:
        """Make the swap file and the cgroup; return QEMU's cache mode for the swap file.

        Raises:
            MachineError: the machine as specified cannot be had here.
        """
        self._check_paths()
        self._is_ours = True
        swap_cache = self._prepare_swap()
        hierarchy = find_hierarchy()
        group = (
            hierarchy if isinstance(hierarchy, str) else create_group(hierarchy, self._spec.name)
        )
        if isinstance(group, str):
            self.notes.append(f"no memory cgroup: {group}")
        else:
            self.group = group
        return swap_cache

    def check_joined(self, pid: int) -> None:
        """Give the cgroup up if QEMU could not join it."""
        if self.group is not None and not self.group.has(pid):
            self.notes.append(f"no memory cgroup: {self.group.path} could not be joined")
            self.group.remove()
            self.group = None

    async def remove(self) -> None:
        """Remove all; the kernel may keep a cgroup busy for a moment after its last process."""
        if not self._is_ours:
            return
        for path in self._files.all():
            path.unlink(missing_ok=True)
        for _attempt in range(int(_REMOVE_S / _RETRY_S)):
            if self.group is None or self.group.remove():
                self.group = None
                return
            await asyncio.sleep(_RETRY_S)
        assert self.group is not None
        self.notes.append(f"{self.group.path} could not be removed")

    def _check_paths(self) -> None:
        for path in (self._files.qmp, self._files.lab_qmp, self._files.shell):
            if len(str(path).encode()) > _SOCKET_PATH_MAX:
                raise MachineError(
                    f"{path}: a socket's path has at most {_SOCKET_PATH_MAX} bytes; "
                    "use a shorter directory"
                )
        for path in self._files.all():
            if path.exists():
                raise MachineError(f"{path} exists: is there another machine of this name?")

    def _prepare_swap(self) -> str:
        swap_file = self._files.swap
        if self._spec.swap == "zram" and not self._image.has_zram:
            raise MachineError(
                f"{self._spec.name} cannot swap to zram: kernel {self._image.kernel_version} "
                'comes without it; use swap "vda"'
            )
        if self._spec.swap != "vda":
            return "none"
        allocate_swap_file(swap_file, self._spec.swap_bytes)
        if has_direct_io(swap_file):
            return "none"
        self.notes.append(
            f"{swap_file.parent} refuses direct I/O: guest swap goes through the host's cache"
        )
        return "writeback"


def read_tail(path: Path) -> str:
    """Read the end of a file that a guest may fill as it likes."""
    try:
        with path.open("rb") as file:
            length = file.seek(0, 2)
            file.seek(max(0, length - _TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
