"""Reads the proportional set size of processes, aside: it is costly and can block.

Measured: 2.6 ms for 512 MiB in 4 KiB pages, 0.1 ms in huge pages; it grows with the process. And
it takes the process's memory lock, which a QEMU stuck in the kernel may hold for ever. So one
thread reads, slowly, and a round only ever takes the last figure and its age. If that thread is
stuck, PSS grows old and disappears; nothing waits for it.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.proc_text import read_text_if_any
from aerostat.host.process_memory import parse_kilobytes

_WAITING_MAX = 1024  # reads asked for and not begun; beyond that a round asks again later


@dataclass(frozen=True, slots=True, kw_only=True)
class PssSample:
    """One reading; ``read_s`` is on the clock given to the sampler."""

    pss_bytes: int
    read_s: float
    swap_bytes: int | None = None  # shared memory included, which VmSwap leaves out


class PssSampler:
    """Keeps the last PSS of each process that is asked for, at most ``age_s_max`` old."""

    def __init__(
        self,
        *,
        now_s: Callable[[], float],
        root: Path = Path("/"),
        period_s: float = 10.0,
        age_s_max: float = 60.0,
    ) -> None:
        self._now_s = now_s
        self._root = root
        self._period_s = period_s
        self._age_s_max = age_s_max
        self._samples: dict[int, PssSample] = {}
        self._asked: dict[int, float] = {}
        self._waiting: queue.Queue[int | None] = queue.Queue(_WAITING_MAX)
        self._thread: threading.Thread | None = None

    def last(self, pid: int) -> PssSample | None:
        """The last figure, if it is not too old, at once; asks for a new one when it is due."""
        self._ask_if_due(pid)
        sample = self._samples.get(pid)
        is_fresh = sample is not None and self._now_s() - sample.read_s <= self._age_s_max
        return sample if is_fresh else None

    def forget(self, pid: int) -> None:
        """Drop what is known of a process that is gone."""
        self._samples.pop(pid, None)
        self._asked.pop(pid, None)

    def close(self) -> None:
        """Let the thread end after its current read; does not wait for it."""
        if self._thread is not None:
            self._offer(None)
            self._thread = None

    def _ask_if_due(self, pid: int) -> None:
        now_s = self._now_s()
        asked_s = self._asked.get(pid)
        if asked_s is not None and now_s - asked_s < self._period_s:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._read_all, name="pss", daemon=True)
            self._thread.start()
        if self._offer(pid):
            self._forget_old(now_s)
            self._asked[pid] = now_s

    def _forget_old(self, now_s: float) -> None:
        """Drop processes that nobody has asked for in a long time: they are gone."""
        limit_s = now_s - self._age_s_max - self._period_s
        for pid in [pid for pid, asked_s in self._asked.items() if asked_s < limit_s]:
            self.forget(pid)

    def _offer(self, pid: int | None) -> bool:
        try:
            self._waiting.put_nowait(pid)
        except queue.Full:
            return False
        return True

    def _read_all(self) -> None:
        while (pid := self._waiting.get()) is not None:
            text = read_text_if_any(self._root / f"proc/{pid}/smaps_rollup")
            pss_bytes = parse_kilobytes(text or "", name="Pss")
            if pss_bytes is not None:
                self._samples[pid] = PssSample(
                    pss_bytes=pss_bytes,
                    read_s=self._now_s(),
                    swap_bytes=parse_kilobytes(text or "", name="Swap"),
                )
