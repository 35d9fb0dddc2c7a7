"""What a VM's process really touched in the last while, by the referenced bits of its pages.

Needs nothing from the guest. Bits are cleared through ``/proc/PID/clear_refs``, and counted after a
while by ``smaps_rollup`` (Linux: Documentation/filesystems/proc.rst). An upper bound: a huge page
counts whole, and so does whatever the hypervisor itself touched. The kernel's own reclaim reads the
same bits, so clearing them often makes it choose worse: a minute apart, never every second.

Other ways, where a kernel has them: idle page tracking (``/sys/kernel/mm/page_idle``) needs a walk
of every page frame; DAMON on virtual addresses samples at a fixed cost. Neither is used.
"""

import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.proc_text import read_text_if_any
from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.technique import Probe

CLEAR_REFERENCED = "1"
DAMON = "sys/kernel/mm/damon/admin"
PAGE_IDLE = "sys/kernel/mm/page_idle/bitmap"
_WAITING_MAX = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What was touched of a process between two looks."""

    touched_bytes: int
    read_s: float  # on the clock given to the sampler
    span_s: float  # since the bits were cleared
    cost_s: float  # processor time of the look, clearing included


def probe_activity(root: Path = Path("/"), pid: int | None = None) -> Probe:
    """Look whether touched memory can be told here, and which other ways the kernel offers."""
    process = root / "proc" / ("self" if pid is None else str(pid))
    others = _others(root)
    for name in ("clear_refs", "smaps_rollup"):
        if not (process / name).exists():
            why = (
                f"{process / name} is missing: the kernel is built without CONFIG_PROC_PAGE_MONITOR"
            )
            return Probe(is_usable=False, why=f"{why}; {others}")
    if not os.access(process / "clear_refs", os.W_OK):
        return Probe(
            is_usable=False, why=f"{process / 'clear_refs'} may not be written: run as root"
        )
    return Probe(
        is_usable=True,
        why=f"by referenced bits (clear_refs and smaps_rollup); {others}",
        warning="the kernel's own reclaim reads the bits that this clears",
    )


def _others(root: Path) -> str:
    idle = "is here" if (root / PAGE_IDLE).exists() else "is not in this kernel"
    damon = "is here" if (root / DAMON).exists() else "is not in this kernel"
    return f"idle page tracking {idle}; DAMON {damon}"


class ActivitySampler:
    """Keeps what each process that is asked for touched last; looks are made aside, by one thread.

    A look takes the process's memory lock, which a QEMU stuck in the kernel may hold for ever: then
    figures grow old and disappear, and nothing waits for them.
    """

    def __init__(
        self, *, now_s: Callable[[], float], period_s: float, root: Path = Path("/")
    ) -> None:
        self._now_s = now_s
        self._period_s = period_s
        self._proc = root / "proc"
        self._touched: dict[int, Touched] = {}
        self._cleared_s: dict[int, float] = {}
        self._asked_s: dict[int, float] = {}
        self._waiting: queue.Queue[int | None] = queue.Queue(_WAITING_MAX)
        self._thread: threading.Thread | None = None

    def last(self, pid: int) -> Touched | None:
        """The last look, if it is no older than two periods; asks for a new one when it is due."""
        now_s = self._now_s()
        asked_s = self._asked_s.get(pid)
        if asked_s is None or now_s - asked_s >= self._period_s:
            self._ask(pid, now_s)
        touched = self._touched.get(pid)
        is_fresh = touched is not None and now_s - touched.read_s <= 2 * self._period_s
        return touched if is_fresh else None

    def forget(self, pid: int) -> None:
        """Drop what is known of a process that is gone."""
        for known in (self._touched, self._cleared_s, self._asked_s):
            known.pop(pid, None)

    def close(self) -> None:
        """Let the thread end after its current look; does not wait for it."""
        if self._thread is not None:
            self._offer(None)
            self._thread = None

    def _ask(self, pid: int, now_s: float) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._look_at_all, name="touched", daemon=True)
            self._thread.start()
        if self._offer(pid):
            self._asked_s[pid] = now_s

    def _offer(self, pid: int | None) -> bool:
        try:
            self._waiting.put_nowait(pid)
        except queue.Full:
            return False
        return True

    def _look_at_all(self) -> None:
        while (pid := self._waiting.get()) is not None:
            self._look(pid)

    def _look(self, pid: int) -> None:
        """Count what was touched since the last look, and begin anew."""
        began_s = time.thread_time()
        cleared_s = self._cleared_s.get(pid)
        text = read_text_if_any(self._proc / str(pid) / "smaps_rollup")
        touched = parse_kilobytes(text or "", name="Referenced")
        try:
            (self._proc / str(pid) / "clear_refs").write_text(CLEAR_REFERENCED)
        except OSError:
            self._cleared_s.pop(pid, None)
            return
        now_s = self._now_s()
        self._cleared_s[pid] = now_s
        if cleared_s is not None and touched is not None:
            self._touched[pid] = Touched(
                touched_bytes=touched,
                read_s=now_s,
                span_s=now_s - cleared_s,
                cost_s=time.thread_time() - began_s,
            )
