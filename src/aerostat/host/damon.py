"""The kernel's data access monitor, DAMON, on the addresses of processes, through sysfs.

For each process it keeps a kernel thread that looks, every ``SAMPLE_S``, at one page of each of up
to ``REGIONS_MAX`` regions, and so costs the same whatever the process's size. Regions that are
touched alike are merged, others are split. Read is what lies in regions that were touched within a
given time; a region is counted whole. Kernel documentation: Documentation/admin-guide/mm/damon.

There is one such interface a machine. Whoever set a number of monitors there is its user: where
that was not us, it is left alone. What a daemon that was killed left running is known by a mark.
"""

import os
from pathlib import Path

from aerostat.host.proc_text import parse_count
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.kernel_thread import cpu_s_of
from aerostat.host.techniques.technique import Probe, TechniqueError

ADMIN = "/sys/kernel/mm/damon/admin/kdamonds"
MARK = "/run/aerostat/damon"
SLOTS = 64
"""Processes that are watched at most: their number cannot be changed while one is."""
SAMPLE_S = 0.1
AGGREGATION_S = 2.0
"""Within which a region's touches are counted; 20 samples."""
REGIONS_MIN, REGIONS_MAX = 100, 1000
_MAX = str(2**64 - 1)
_OPERATIONS = "vaddr"


def probe_damon(root: Path = Path("/")) -> Probe:
    """Look whether it is here and free; changes nothing, so whether it serves is not known yet."""
    kernel = Kernel(root)
    count = kernel.read_if_any(f"{ADMIN}/nr_kdamonds")
    if count is None:
        why = "DAMON is not in this kernel (CONFIG_DAMON_SYSFS)"
        return Probe(is_usable=False, why=why)
    if not os.access(kernel.path(f"{ADMIN}/nr_kdamonds"), os.W_OK):
        return Probe(is_usable=False, why="DAMON is here, and may not be used: run as root")
    if count != "0" and not _is_ours(kernel, count):
        return Probe(is_usable=False, why=f"DAMON is in use by somebody else: {count} monitors")
    return Probe(is_usable=True, why="DAMON is here")


def _is_ours(kernel: Kernel, count: str) -> bool:
    return count == str(SLOTS) and kernel.read_if_any(MARK) == _mark(kernel)


def _mark(kernel: Kernel) -> str:
    return f"{kernel.read_if_any('/proc/sys/kernel/random/boot_id')} {SLOTS}"


class Damon:
    """Monitors of processes, one each; opened once, closed in the end."""

    def __init__(self, *, window_s: float, root: Path = Path("/")) -> None:
        """What was touched within ``window_s`` counts."""
        self._kernel = Kernel(root)
        self._window = max(1, int(window_s / AGGREGATION_S))
        self._free = list(reversed(range(SLOTS)))
        self._slots: dict[int, int] = {}
        self._is_open = False

    def open(self) -> None:
        """Take the interface.

        Raises:
            TechniqueError: it is not here, in use, or cannot watch the addresses of a process.
        """
        probe = probe_damon(self._kernel.root)
        if not probe.is_usable:
            raise TechniqueError(probe.why)
        self._end_all()  # what one of us that was killed left behind
        mark = self._kernel.path(MARK)
        try:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(_mark(self._kernel) + "\n")
        except OSError as error:
            raise TechniqueError(f"{mark} cannot be written: {error.strerror}") from error
        self._kernel.write(f"{ADMIN}/nr_kdamonds", str(SLOTS))
        self._is_open = True
        try:
            self._require_vaddr()
        except TechniqueError:
            self.close()
            raise

    def close(self) -> None:
        """End every monitor and leave the interface as it was."""
        if not self._is_open:
            return
        self._is_open = False
        self._slots.clear()
        self._end_all()
        self._kernel.path(MARK).unlink(missing_ok=True)

    def watch(self, pid: int) -> bool:
        """Begin to watch a process; False: there are too many.

        Raises:
            TechniqueError: the kernel refused.
        """
        if not self._free:
            return False
        slot = self._free.pop()
        try:
            self._set_up(slot, pid)
            self._kernel.write(f"{ADMIN}/{slot}/state", "on")
        except TechniqueError:
            self._free.append(slot)
            raise
        self._slots[pid] = slot
        return True

    def is_watched(self, pid: int) -> bool:
        """Whether a process is."""
        return pid in self._slots

    def forget(self, pid: int) -> None:
        """Watch a process no longer; one that is gone has ended its monitor."""
        slot = self._slots.pop(pid, None)
        if slot is None:
            return
        self._switch_off(slot)
        self._free.append(slot)

    def touched_bytes(self, pid: int) -> int:
        """What of a process lies in regions touched within the window; waits for its monitor.

        Raises:
            TechniqueError: it is not watched any more.
        """
        at = f"{ADMIN}/{self._slots[pid]}"
        self._kernel.write(f"{at}/state", "update_schemes_tried_bytes")
        sizes = [
            parse_count(self._kernel.read(f"{at}/contexts/0/schemes/{n}/tried_regions/total_bytes"))
            for n in (0, 1)
        ]
        return sum(size or 0 for size in sizes)

    def cpu_s(self, pid: int) -> float | None:
        """Processor time its monitor has taken so far; None: it is gone."""
        thread = self._kernel.read_if_any(f"{ADMIN}/{self._slots[pid]}/pid")
        if thread is None or parse_count(thread) is None:
            return None
        return cpu_s_of(self._kernel, int(thread))

    def _require_vaddr(self) -> None:
        at = f"{ADMIN}/0/contexts"
        self._kernel.write(f"{at}/nr_contexts", "1")
        if _OPERATIONS not in self._kernel.read(f"{at}/0/avail_operations").split():
            raise TechniqueError("this kernel's DAMON cannot watch a process (CONFIG_DAMON_VADDR)")
        schemes = f"{at}/0/schemes"
        self._kernel.write(f"{schemes}/nr_schemes", "1")
        if not self._kernel.path(f"{schemes}/0/tried_regions/total_bytes").exists():
            raise TechniqueError("this kernel's DAMON does not sum up what was touched (from 6.6)")

    def _set_up(self, slot: int, pid: int) -> None:
        at = f"{ADMIN}/{slot}/contexts"
        schemes = f"{at}/0/schemes"
        write = self._kernel.write
        write(f"{at}/nr_contexts", "1")  # begins anew
        write(f"{at}/0/operations", _OPERATIONS)
        attributes = f"{at}/0/monitoring_attrs"
        write(f"{attributes}/intervals/sample_us", str(int(SAMPLE_S * 1e6)))
        write(f"{attributes}/intervals/aggr_us", str(int(AGGREGATION_S * 1e6)))
        # The greatest first: at no time may the least be above it.
        write(f"{attributes}/nr_regions/max", str(REGIONS_MAX))
        write(f"{attributes}/nr_regions/min", str(REGIONS_MIN))
        write(f"{at}/0/targets/nr_targets", "1")
        write(f"{at}/0/targets/0/pid_target", str(pid))
        write(f"{schemes}/nr_schemes", "2")
        # Touched in the last aggregation, or not since, but within the window.
        self._set_up_scheme(f"{schemes}/0", touches=("1", _MAX), age=("0", _MAX))
        self._set_up_scheme(f"{schemes}/1", touches=("0", "0"), age=("0", str(self._window)))

    def _set_up_scheme(self, at: str, *, touches: tuple[str, str], age: tuple[str, str]) -> None:
        write = self._kernel.write
        write(f"{at}/action", "stat")  # does nothing but count
        apply = f"{at}/apply_interval_us"
        if self._kernel.path(apply).exists():  # from 6.7 on; else once an aggregation
            write(apply, str(int(2 * SAMPLE_S * 1e6)))
        ranges = {"sz": ("0", _MAX), "nr_accesses": touches, "age": age}
        for name, (least, most) in ranges.items():
            write(f"{at}/access_pattern/{name}/max", most)
            write(f"{at}/access_pattern/{name}/min", least)

    def _end_all(self) -> None:
        count = parse_count(self._kernel.read(f"{ADMIN}/nr_kdamonds")) or 0
        for slot in range(count):
            self._switch_off(slot)
        if count:
            self._kernel.write(f"{ADMIN}/nr_kdamonds", "0")

    def _switch_off(self, slot: int) -> None:
        at = f"{ADMIN}/{slot}/state"
        if self._kernel.read_if_any(at) == "on":
            try:
                self._kernel.write(at, "off")
            except TechniqueError:
                # It ended with its process in between.
                if self._kernel.read_if_any(at) == "on":
                    raise
