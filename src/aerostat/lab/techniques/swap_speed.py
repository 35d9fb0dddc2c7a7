"""A throttled swap device: the same declared speed for the host's swap and for the guests'.

The kernel throttles what the VMs' processes read and write on the disk that holds the swap files:
a guest's own swap passes through QEMU's threads, and the host's swap is read by whoever faults. On
cgroup v1 the one who writes is who reclaims, so the thread that sets the guests' limit belongs to
the group as well. Kernel documentation: Documentation/admin-guide/cgroup-v1/blkio-controller.rst.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aerostat.lab.machine.cgroup import MemoryGroup
from aerostat.lab.machine.errors import MachineError
from aerostat.units import MIB

_PREFIX = "aerostat-lab-"
_FILES = ("read_bps", "write_bps", "read_iops", "write_iops")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapSpeed:
    """What the device does at most, each way."""

    bytes_per_s: int
    operations_per_s: int

    def as_world(self) -> dict[str, int]:
        """As a result document carries it."""
        return {
            "swap_bytes_per_s": self.bytes_per_s,
            "swap_operations_per_s": self.operations_per_s,
        }


SLOW = SwapSpeed(bytes_per_s=40 * MIB, operations_per_s=1500)
"""A shared network disk."""


class Throttle:
    """A throttled group that processes and threads can be put into."""

    def __init__(self, tasks: Path | None = None) -> None:
        self._tasks = tasks

    def join(self) -> None:
        """Put the calling thread into it, where the kernel counts by thread."""
        if self._tasks is not None:
            self._tasks.write_text(str(threading.get_native_id()))


@contextlib.contextmanager
def throttled(
    directory: Path, group: MemoryGroup, pids: Sequence[int], speed: SwapSpeed | None
) -> Iterator[Throttle]:
    """Hold the VMs to a speed on the disk of ``directory`` inside the block.

    Raises:
        MachineError: it cannot be had here; the message says why.
    """
    if speed is None:
        yield Throttle()
        return
    device = disk_of(directory)
    if group.version == 2:
        limits = (
            f"{device} rbps={speed.bytes_per_s} wbps={speed.bytes_per_s} "
            f"riops={speed.operations_per_s} wiops={speed.operations_per_s}"
        )
        _write(group.path / "io.max", limits)
        try:
            yield Throttle()
        finally:
            _write(group.path / "io.max", f"{device} rbps=max wbps=max riops=max wiops=max")
        return
    own = _root() / f"{_PREFIX}{os.getpid()}"
    own.mkdir(exist_ok=True)
    try:
        for name in _FILES:
            most = speed.bytes_per_s if name.endswith("bps") else speed.operations_per_s
            _write(own / f"blkio.throttle.{name}_device", f"{device} {most}")
        for pid in pids:
            _write(own / "cgroup.procs", str(pid))
        yield Throttle(own / "tasks")
    finally:
        _leave(own)


def clean_stale_throttles() -> None:
    """Remove groups of labs that are gone; their processes went with them."""
    with contextlib.suppress(MachineError):
        for own in _root().glob(f"{_PREFIX}*"):
            pid = own.name.removeprefix(_PREFIX)
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                _leave(own)


def disk_of(directory: Path) -> str:
    """The whole disk that a directory lies on, as ``major:minor``.

    Raises:
        MachineError: it lies on no disk of its own.
    """
    number = directory.stat().st_dev
    name = f"{os.major(number)}:{os.minor(number)}"
    block = Path("/sys/dev/block") / name
    if not block.exists():
        raise MachineError(f"{directory} is on no single disk ({name}), so it cannot be throttled")
    if (block / "partition").exists():
        return (block.resolve().parent / "dev").read_text().strip()
    return name


def _root() -> Path:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kinds = after.split()
        if kinds and kinds[0] == "cgroup" and "blkio" in kinds[2].split(","):
            return Path(before.split()[4])
    raise MachineError("no device can be throttled here: there is no blkio controller")


def _leave(own: Path) -> None:
    """Give everybody in the group back to the one above, and remove it."""
    with contextlib.suppress(OSError):
        for thread in (own / "tasks").read_text().split():
            with contextlib.suppress(OSError):
                (own.parent / "tasks").write_text(thread)
        own.rmdir()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise MachineError(f"{path}: '{text}' was refused: {error.strerror}") from error
