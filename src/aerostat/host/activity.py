"""What a VM's process really touched in the last while; needs nothing from the guest.

By DAMON where the kernel has it for processes (``damon``). Else by the referenced bits of its
pages: cleared through ``/proc/PID/clear_refs``, and counted after a while by ``smaps_rollup``
(Linux: Documentation/filesystems/proc.rst). Both are upper bounds: a region, or a huge page,
counts whole, and so does whatever the hypervisor itself touched. The kernel's own reclaim reads
the same bits, so clearing them often makes it choose worse: a minute apart, never every second.

What a look costs is part of the figure. Idle page tracking (``/sys/kernel/mm/page_idle``) needs a
walk of every page frame and is not used.
"""

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.damon import Damon, probe_damon
from aerostat.host.proc_text import read_text_if_any
from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.technique import Probe, TechniqueError

CLEAR_REFERENCED = "1"
PAGE_IDLE = "sys/kernel/mm/page_idle/bitmap"
_WAITING_MAX = 1024
_CLOSE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What was touched of a process between two looks."""

    touched_bytes: int
    read_s: float  # on the clock given to the sampler
    span_s: float  # since the bits were cleared
    cost_s: float  # processor time of the look, and of what the kernel did for it since the last
    how: str = "referenced bits"

    @property
    def cost_ratio(self) -> float | None:
        """Of one processor's time; None: no time has passed."""
        return self.cost_s / self.span_s if self.span_s > 0 else None


def probe_activity(root: Path = Path("/"), pid: int | None = None) -> Probe:
    """Look whether touched memory can be told here, and by what."""
    damon = probe_damon(root)
    if damon.is_usable:
        return damon
    process = root / "proc" / ("self" if pid is None else str(pid))
    others = f"{damon.why}; {_idle_tracking(root)}"
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


def _idle_tracking(root: Path) -> str:
    is_here = (root / PAGE_IDLE).exists()
    return "idle page tracking is here, and not used" if is_here else "no idle page tracking"


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
        self._began_s: dict[int, float] = {}
        self._spent_s: dict[int, float] = {}
        self._root = root
        self._damon: Damon | None = None
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
        for known in (self._touched, self._began_s, self._spent_s, self._asked_s):
            known.pop(pid, None)
        if self._thread is not None:
            self._offer(-pid)

    def close(self) -> None:
        """Let the thread end after its current look, which leaves the kernel as it was.

        Waits for that a little: a monitor that is left running costs as long as the machine is up.
        """
        if self._thread is not None:
            self._offer(None)
            self._thread.join(_CLOSE_S)
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
        self._damon = self._opened()
        try:
            while (pid := self._waiting.get()) is not None:
                if pid > 0:
                    self._look(pid)
                elif self._damon is not None:
                    with contextlib.suppress(TechniqueError):
                        self._damon.forget(-pid)
        finally:
            if self._damon is not None:
                # What cannot be ended is known by its mark, and ended by whoever comes next.
                with contextlib.suppress(TechniqueError):
                    self._damon.close()

    def _opened(self) -> Damon | None:
        # Half: at the first look nothing has been cold for longer than since the last.
        damon = Damon(window_s=self._period_s / 2, root=self._root)
        try:
            damon.open()
        except TechniqueError:
            return None  # ``probe_activity`` tells why
        return damon

    def _look(self, pid: int) -> None:
        if self._damon is not None:
            try:
                if self._damon.is_watched(pid):
                    self._look_by_damon(self._damon, pid)
                    return
                if self._damon.watch(pid):
                    self._began_s[pid] = self._now_s()
                    return
            except TechniqueError:
                # It is gone, or its monitor is: by its bits then, which tells nothing of the gone.
                self._begin_anew(self._damon, pid)
        self._look_at_bits(pid)

    def _begin_anew(self, damon: Damon, pid: int) -> None:
        with contextlib.suppress(TechniqueError):
            damon.forget(pid)
        self._began_s.pop(pid, None)
        self._spent_s.pop(pid, None)

    def _look_by_damon(self, damon: Damon, pid: int) -> None:
        looking_s = time.thread_time()
        touched, spent_s = damon.touched_bytes(pid), damon.cpu_s(pid)
        now_s, before_s = self._now_s(), self._began_s.get(pid)
        if spent_s is None or before_s is None:
            return
        cost_s = spent_s - self._spent_s.get(pid, 0.0) + time.thread_time() - looking_s
        self._spent_s[pid] = spent_s
        self._tell(pid, touched, before_s, now_s, cost_s, "DAMON")

    def _look_at_bits(self, pid: int) -> None:
        """Count what was touched since the last look, and begin anew."""
        looking_s = time.thread_time()
        cleared_s = self._began_s.get(pid)
        text = read_text_if_any(self._proc / str(pid) / "smaps_rollup")
        touched = parse_kilobytes(text or "", name="Referenced")
        try:
            (self._proc / str(pid) / "clear_refs").write_text(CLEAR_REFERENCED)
        except OSError:
            self._began_s.pop(pid, None)
            return
        now_s = self._now_s()
        if cleared_s is None or touched is None:
            self._began_s[pid] = now_s
            return
        cost_s = time.thread_time() - looking_s
        self._tell(pid, touched, cleared_s, now_s, cost_s, "referenced bits")

    def _tell(
        self, pid: int, touched: int, before_s: float, now_s: float, cost_s: float, how: str
    ) -> None:
        self._began_s[pid] = now_s
        self._touched[pid] = Touched(
            touched_bytes=touched, read_s=now_s, span_s=now_s - before_s, cost_s=cost_s, how=how
        )
