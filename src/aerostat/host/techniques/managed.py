"""The host's techniques as the ladder uses them: the port ``HostTechniques`` on a real kernel."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from aerostat.host.cgroup import CgroupReader, OwnGroups
from aerostat.host.meminfo import parse_meminfo
from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.changes import undo
from aerostat.host.techniques.host_swap import HostSwap, SwapState
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.ksm import Ksm, KsmState
from aerostat.host.techniques.page_out import PageOut
from aerostat.host.techniques.page_split import PageSplit
from aerostat.host.techniques.sparing import Sparing
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.technique import Probe, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_reclaim import Reclaimed, ReclaimState, VmReclaim
from aerostat.host.techniques.zram import Zram, ZramState
from aerostat.host.techniques.zswap import Zswap, ZswapState
from aerostat.model.host_state import TAKING_STEPS, LadderStep
from aerostat.model.limits import Amount
from aerostat.model.techniques import HostTake, Spared
from aerostat.ports.techniques import Taken
from aerostat.units import MIB, PAGE_BYTES

ZRAM_FACTOR = 3
"""A zram device takes so many times its memory of guests' pages; its limit holds all the same."""
KSM_SLEEP_MS = 20

_Result = TypeVar("_Result")


class CompressWith(StrEnum):
    """What compresses guests' memory."""

    ZSWAP = "zswap"  # in front of swap, which takes what does not fit
    ZRAM = "zram"  # a device in memory: nothing goes to a disk


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueSettings:
    """How the techniques are to be used, once the ladder allows them."""

    compress_with: CompressWith = CompressWith.ZSWAP
    pool: Amount = Amount(max_ratio=0.20)  # of the host's RAM, that compressed pages may take
    swap_file: Path | None = None  # made and swapped to; None: the host's own swap
    swap_size_bytes: int | None = None
    merge_rate: int = 200 * MIB  # bytes a second that are looked through for identical pages


class ManagedTechniques:
    """Switches techniques on and back, and takes memory of VMs; work is done aside."""

    def __init__(
        self,
        kernel: Kernel,
        log: UndoLog,
        settings: TechniqueSettings,
        threads: Executor | None = None,
    ) -> None:
        """Use ``threads`` for what takes long; without them, those that asyncio keeps anyway."""
        self._threads = threads
        self._kernel = kernel
        self._log = log
        self._settings = settings
        self._on: set[LadderStep] = set()
        self._swap = HostSwap(kernel, log)
        self._zswap = Zswap(kernel, log)
        self._zram = Zram(kernel, log)
        self._ksm = Ksm(kernel, log)
        self._cgroups = CgroupReader(now_s=time.monotonic, root=kernel.root)
        by_zswap = settings.compress_with is CompressWith.ZSWAP
        self._sparing = Sparing(kernel, log, self._cgroups, by_zswap=by_zswap)
        self._spared: tuple[Spared, ...] = ()
        self._pagers: dict[int, PageOut] = {}

    async def switch_on(self, step: LadderStep, spared: Sequence[Spared]) -> str:
        """Make a technique ready; see the port. One that is on already only spares once more.

        Raises:
            TechniqueError: it cannot be had; what was changed until then is put back.
        """
        return await self._aside(lambda: self._switch_on(step, spared))

    async def put_back(self, step: LadderStep) -> tuple[str, ...]:
        """Put back what a technique changed; see the port.

        Raises:
            TechniqueError: something could not be.
        """
        return await self._aside(lambda: self._put_back(step))

    async def take(self, order: HostTake) -> Taken:
        """Take memory of one VM; see the port.

        Raises:
            TechniqueError: nothing was taken.
        """
        return await self._aside(lambda: self._take(order))

    async def _aside(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _switch_on(self, step: LadderStep, spared: Sequence[Spared]) -> str:
        self._spared = tuple(spared)
        try:
            # First those who are to be spared: nobody is swapped before.
            self._sparing.spare(step, spared, self._on | {step})
            is_new = step not in self._on
            words = self._bring_about(step) if is_new else "as it was; those to be spared are"
            if step in TAKING_STEPS:
                self._sparing.settle(spared, self._on | {step})
        except TechniqueError:
            if step not in self._on:
                self._restore(step)
            raise
        self._on.add(step)
        return words

    def _bring_about(self, step: LadderStep) -> str:
        match step:
            case LadderStep.MERGE:
                pages = self._settings.merge_rate * KSM_SLEEP_MS // 1000 // PAGE_BYTES
                self._require(self._ksm.probe())
                self._ksm.apply(KsmState(pages_to_scan=max(1, pages), sleep_ms=KSM_SLEEP_MS))
                return self._ksm.probe().warning or ""
            case LadderStep.COMPRESS if self._settings.compress_with is CompressWith.ZRAM:
                self._require(self._zram.probe())
                pool = self._pool_bytes()
                state = ZramState(size_bytes=ZRAM_FACTOR * pool, memory_bytes_max=pool)
                self._zram.apply(state)
                return f"zram, {pool // MIB} MiB at most"
            case LadderStep.COMPRESS:
                self._have_swap()
                self._require(self._zswap.probe())
                ratio = self._pool_bytes() / self._ram_bytes()
                self._zswap.apply(ZswapState(pool_ratio_max=min(0.5, max(0.01, ratio))))
                return f"zswap, {self._pool_bytes() // MIB} MiB at most"
            case LadderStep.SWAP:
                self._have_swap()
                return self._swap.probe().why
            case _:
                raise TechniqueError(f"{step.value} is nothing that the host does by itself")

    def _have_swap(self) -> None:
        """The operator's swap file, made if it is not there; else what the host swaps to."""
        path, size = self._settings.swap_file, self._settings.swap_size_bytes
        is_there = any(s.device == str(path) for s in read_swaps(self._kernel))
        if path is not None and size is not None and not is_there:
            self._swap.apply(SwapState(path=path, size_bytes=size))
        self._require(self._swap.probe())

    def _put_back(self, step: LadderStep) -> tuple[str, ...]:
        if step in TAKING_STEPS:
            # While it is still on: who is kept out by a knob of this one may need another.
            self._sparing.spare(step, self._still_spared(), self._on - {step})
        remarks = self._restore(step)
        self._on.discard(step)
        return tuple(remarks)

    def _restore(self, step: LadderStep) -> list[str]:
        """What is left in the log afterwards could not be put back.

        Raises:
            TechniqueError: something is.
        """
        others = self._on - {step}
        names = [] if step in TAKING_STEPS else [self._sparing.name(step)]
        if step is LadderStep.MERGE:
            names.insert(0, self._ksm.name)
        elif step is LadderStep.COMPRESS:
            names[:0] = [self._zswap.name, self._zram.name]
        if step in (LadderStep.COMPRESS, LadderStep.SWAP) and not self._needs_swap(others):
            names.append(self._swap.name)
        remarks = []
        for name in names:
            remarks += self._log.undo(name, lambda change: undo(change, self._kernel))
        if any(self._log.pending(name) for name in names):
            raise TechniqueError("; ".join(remarks) or f"{step.value} could not be put back")
        if step in TAKING_STEPS:
            remarks += self._sparing.settle(self._still_spared(), others)
        return remarks

    def _still_spared(self) -> list[Spared]:
        return [s for s in self._spared if self._kernel.path(f"/proc/{s.pid}").exists()]

    def _needs_swap(self, on: set[LadderStep]) -> bool:
        by_zswap = self._settings.compress_with is CompressWith.ZSWAP
        return LadderStep.SWAP in on or (LadderStep.COMPRESS in on and by_zswap)

    def _take(self, order: HostTake) -> Taken:
        groups = self._cgroups.groups(order.pid)
        if order.step is LadderStep.SPLIT:
            return self._split(order, groups)
        # On v2 a VM is charged for what zswap keeps of it; for what zram keeps, nobody is.
        is_zswap_charged = groups.charge is not None and groups.is_v2
        before = self._pools_bytes(is_zswap_charged)
        if groups.charge is not None:
            reclaim = VmReclaim(self._kernel, self._log, groups.charge, is_v2=groups.is_v2)
            self._require(reclaim.probe())
            reclaim.apply(ReclaimState(take_bytes=order.size_bytes))
            done, how = reclaim.last, "by its cgroup"
        else:
            pager = self._pagers.setdefault(order.pid, PageOut(self._kernel, order.pid))
            self._require(pager.probe())
            pager.apply(ReclaimState(take_bytes=order.size_bytes))
            done, how = pager.last, "by address: it has no memory cgroup to itself"
            self._forget_the_gone()
        assert done is not None, "an apply that returns says what it came to"
        grown = max(0, self._pools_bytes(is_zswap_charged) - before)
        return _taken(done, grown, how)

    def _split(self, order: HostTake, groups: OwnGroups) -> Taken:
        if groups.charge is None:
            raise TechniqueError("it has no memory cgroup to itself: its pages cannot be split")
        splitting = PageSplit(self._kernel, self._log, groups.charge, is_v2=groups.is_v2)
        splitting.apply(ReclaimState(take_bytes=order.size_bytes))
        assert splitting.last is not None, "an apply that returns says what it came to"
        return _taken(splitting.last, 0, "huge pages split, by its cgroup")

    def _forget_the_gone(self) -> None:
        for pid in [pid for pid in self._pagers if not self._kernel.path(f"/proc/{pid}").exists()]:
            del self._pagers[pid]

    def _pools_bytes(self, is_zswap_charged: bool) -> int:
        """What compressed pages take of the host beyond what VMs are charged."""
        zram = self._zram.read().held_bytes or 0
        if is_zswap_charged:
            return zram
        meminfo = self._kernel.read_if_any("/proc/meminfo") or ""
        return zram + (parse_kilobytes(meminfo, name="Zswap") or 0)

    def _pool_bytes(self) -> int:
        return self._settings.pool.of(self._ram_bytes())

    def _ram_bytes(self) -> int:
        return parse_meminfo(self._kernel.read("/proc/meminfo")).total_bytes

    @staticmethod
    def _require(probe: Probe) -> None:
        if not probe.is_usable:
            raise TechniqueError(probe.why)


def _taken(done: Reclaimed, pools_grown_bytes: int, how: str) -> Taken:
    return Taken(
        taken_bytes=max(0, done.taken_bytes - pools_grown_bytes), took_s=done.took_s, how=how
    )


def put_back_all(kernel: Kernel, log: UndoLog) -> list[str]:
    """Undo all that is pending; in words what could not be, which stays in the log."""
    return log.undo(None, lambda change: undo(change, kernel))
