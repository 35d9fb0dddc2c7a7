"""Pages out memory of one VM by address, where its cgroup cannot be asked.

``process_madvise`` with ``MADV_PAGEOUT`` (Linux 5.10) takes a range of another process to swap, hot
or cold alike: it does not look. So it goes round the VM's memory in small slices, and whoever
orders it watches what the VM reads back. man 2 process_madvise.

Only zswap and zram take pages at once. What goes to a disk stays in the swap cache, written and
unmapped, until the host needs the room: it is gone from the process, and the host has got nothing
back. So that is not counted as taken.

RAM that is shared (memfd, a file on tmpfs) goes the same way, but for pages that another process
maps as well (vhost-user, virtiofsd): those the kernel leaves to whoever else has them. Huge pages
of hugetlbfs and locked memory it refuses.
"""

import ctypes
import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from aerostat.host.proc_text import parse_count
from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.technique import Probe, Saving, TechniqueError
from aerostat.host.techniques.vm_reclaim import Reclaimed, ReclaimState
from aerostat.units import MIB

SLICE_BYTES = 16 * MIB
_PIDFD_OPEN, _PROCESS_MADVISE = 434, 440  # the same on every architecture since 5.1
_MADV_PAGEOUT = 21
_MEMORY_FILES = ("/memfd:", "/dev/shm/", "/dev/zero")  # noqa: S108 - of others, not ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Addresses of one mapping."""

    first: int
    end: int

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        return self.end - self.first


def largest_private_range(maps: str) -> Range | None:
    """The largest writable mapping without a file, from /proc/PID/maps."""
    found = (m.range for m in _mappings(maps) if m.is_private and not m.file)
    return max(found, key=lambda one: one.size_bytes, default=None)


def largest_ram_range(maps: str) -> Range | None:
    """A VM's RAM: its largest writable mapping of memory, its own or a memfd's or a tmpfs's.

    Other files are left out: to page those out is to write them.
    """
    found = (m.range for m in _mappings(maps) if m.is_memory)
    return max(found, key=lambda one: one.size_bytes, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mapping:
    """A writable one."""

    range: Range
    is_private: bool
    file: str  # empty: none

    @property
    def is_memory(self) -> bool:
        if not self.file:
            return self.is_private
        return self.file.startswith(_MEMORY_FILES)


def _mappings(maps: str) -> Iterator[_Mapping]:
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) < 5 or not fields[1].startswith("rw"):
            continue
        first, _, end = fields[0].partition("-")
        is_of_file = fields[4] != "0"
        yield _Mapping(
            range=Range(first=int(first, 16), end=int(end, 16)),
            is_private=fields[1].endswith("p"),
            file=(fields[5] if len(fields) > 5 else "?") if is_of_file else "",
        )


class PageOut:
    """Pages out the RAM of one VM's process, going round in slices."""

    name = "page_out"

    def __init__(self, kernel: Kernel, pid: int) -> None:
        self._kernel = kernel
        self._pid = pid
        self._at = 0
        self.last: Reclaimed | None = None

    def probe(self) -> Probe:
        """Look whether the kernel offers it for this process, and whether there is swap."""
        if not read_swaps(self._kernel):
            return Probe(is_usable=False, why="the host has no swap to page out to: add swap")
        if self._range() is None:
            why = f"process {self._pid} has no memory, of its own or shared, that could be its RAM"
            return Probe(is_usable=False, why=why)
        try:
            self._advise(Range(first=0, end=0))
        except TechniqueError as error:
            return Probe(is_usable=False, why=str(error))
        return Probe(is_usable=True, why="by process_madvise, hot and cold alike")

    def read(self) -> Saving:
        """Read what of the process lies in swap."""
        # VmSwap of its status leaves shared memory out.
        rollup = self._kernel.read_if_any(f"/proc/{self._pid}/smaps_rollup") or ""
        return Saving(taken_bytes=parse_kilobytes(rollup, name="Swap"))

    def apply(self, state: ReclaimState) -> None:
        """Page out slices until so much less is resident, or all was gone round once.

        Raises:
            TechniqueError: the process is gone, or the kernel refused.
        """
        ram = self._range()
        if ram is None:
            raise TechniqueError(f"process {self._pid} has no memory that could be paged out")
        began_s, before, cached = time.monotonic(), self._resident_bytes(), self._cached_bytes()
        gone_round = 0
        while gone_round < ram.size_bytes and before - self._resident_bytes() < state.take_bytes:
            gone_round += self._page_out_next(ram)
        left_behind = max(0, self._cached_bytes() - cached)
        taken = max(0, before - self._resident_bytes() - left_behind)
        self.last = Reclaimed(taken_bytes=taken, took_s=time.monotonic() - began_s)

    def restore(self) -> list[str]:
        """Nothing to put back: pages come back as the VM uses them."""
        return []

    def _page_out_next(self, ram: Range) -> int:
        first = self._at if ram.first <= self._at < ram.end else ram.first
        piece = Range(first=first, end=min(ram.end, first + SLICE_BYTES))
        self._advise(piece)
        self._at = piece.end
        return piece.size_bytes

    def _advise(self, piece: Range) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        handle = libc.syscall(_PIDFD_OPEN, self._pid, 0)
        if handle < 0:
            raise TechniqueError(f"process {self._pid}: {os.strerror(ctypes.get_errno())}")
        try:
            part = (ctypes.c_size_t * 2)(piece.first, piece.size_bytes)  # an iovec
            arguments = (handle, ctypes.byref(part), 1, _MADV_PAGEOUT, 0)
            if libc.syscall(_PROCESS_MADVISE, *arguments) < 0:
                raise TechniqueError(self._refused(ctypes.get_errno()))
        finally:
            os.close(handle)

    def _refused(self, number: int) -> str:
        what = f"process_madvise of process {self._pid}: {os.strerror(number)}"
        if number == errno.EINVAL:
            what += "; its memory is locked, or in huge pages of hugetlbfs, and cannot be paged out"
        elif number == errno.EPERM:
            what += "; it takes root, or CAP_SYS_NICE and the right to trace it"
        return what

    def _range(self) -> Range | None:
        return largest_ram_range(self._kernel.read_if_any(f"/proc/{self._pid}/maps") or "")

    def _cached_bytes(self) -> int:
        """What lies in swap and in RAM as well, of all the host's processes."""
        meminfo = self._kernel.read_if_any("/proc/meminfo") or ""
        return parse_kilobytes(meminfo, name="SwapCached") or 0

    def _resident_bytes(self) -> int:
        fields = self._kernel.read(f"/proc/{self._pid}/statm").split()
        pages = parse_count(fields[1]) if len(fields) > 1 else None
        if pages is None:
            raise TechniqueError(f"process {self._pid} does not say what is resident")
        return pages * os.sysconf("SC_PAGE_SIZE")
