"""What a VM's process really holds of the host, each measure under its own name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.activity import ActivitySampler
from aerostat.host.cgroup import CgroupReader
from aerostat.host.cgroup_figures import CgroupFigures
from aerostat.host.proc_text import read_record_if_any
from aerostat.host.process_memory import (
    Merged,
    parse_kilobytes,
    parse_major_faults,
    parse_merged,
    parse_rss,
    parse_unreclaimable,
)
from aerostat.host.pss import PssSample, PssSampler
from aerostat.model.figures import VmFootprint
from aerostat.model.sealed import sealed
from aerostat.units import PAGE_BYTES


@sealed
class _Counters:
    """The counters of one source; another source's have nothing to do with them."""

    source: str
    swap_in_bytes: int | None = None
    major_faults: int | None = None


@sealed
class _Held:
    """What a process has in RAM and in swap, by its own files."""

    rss_bytes: int | None
    swap_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slow:
    """What of a process hardly ever changes, as of then."""

    locked_bytes: int | None  # locked, pinned for a device, or in huge pages of hugetlbfs
    merged: Merged
    read_s: float


SLOW_PERIOD_S = 10.0
"""So often that is read."""


class FootprintReader:
    """Reads footprints below ``root``; one read never blocks and takes about 0.1 ms.

    PSS is read only for processes without a memory cgroup of their own, at a slower pace.
    """

    def __init__(
        self,
        *,
        now_s: Callable[[], float],
        root: Path = Path("/"),
        pss_period_s: float = 10.0,
        touched_period_s: float | None = None,
    ) -> None:
        """Read below ``root``; what was touched only where a period for that is given."""
        self._proc = str(root / "proc")
        self._now_s = now_s
        self._cgroups = CgroupReader(now_s=now_s, root=root)
        self._pss = PssSampler(now_s=now_s, root=root, period_s=pss_period_s)
        self._touched = (
            None
            if touched_period_s is None
            else ActivitySampler(now_s=now_s, period_s=touched_period_s, root=root)
        )
        self._sources: dict[int, str] = {}
        self._slow: dict[int, _Slow] = {}

    def read(self, pid: int) -> VmFootprint | None:
        """Read now; None when the process is gone.

        The age is that of ``held_bytes``: zero, but for PSS.
        """
        group = self._cgroups.read(pid)
        held = self._held(pid, group)
        if held is None:
            self._forget(pid)
            return None
        sample = self._pss.last(pid) if group.charge_bytes is None else None
        counters = self._counters(pid, group)
        touched = None if self._touched is None else self._touched.last(pid)
        slow = self._slowly(pid)
        return VmFootprint(
            age_s=max(0.0, self._now_s() - sample.read_s) if sample is not None else 0.0,
            cgroup_bytes=group.charge_bytes,
            pss_bytes=sample.pss_bytes if sample is not None else None,
            rss_bytes=held.rss_bytes,
            swap_bytes=_swap_bytes(held, group, sample),
            swap_in_bytes=counters.swap_in_bytes,
            major_faults=counters.major_faults,
            pressure_some_total_s=group.pressure_some_total_s,
            pressure_full_total_s=group.pressure_full_total_s,
            limit_bytes=group.limit_bytes,
            limit_hits=group.limit_hits,
            pid=pid,
            locked_bytes=slow.locked_bytes,
            touched_bytes=None if touched is None else touched.touched_bytes,
            touched_cost_ratio=None if touched is None else touched.cost_ratio,
            merged_bytes=slow.merged.merged_bytes,
            merge_profit_bytes=slow.merged.profit_bytes,
            unsplit_bytes=group.unsplit_bytes,
        )

    def close(self) -> None:
        """Stop reading what is read aside."""
        self._pss.close()
        if self._touched is not None:
            self._touched.close()

    def _forget(self, pid: int) -> None:
        self._pss.forget(pid)
        if self._touched is not None:
            self._touched.forget(pid)
        self._cgroups.forget(pid)
        self._sources.pop(pid, None)
        self._slow.pop(pid, None)

    def _slowly(self, pid: int) -> _Slow:
        known, now_s = self._slow.get(pid), self._now_s()
        if known is None or now_s - known.read_s >= SLOW_PERIOD_S:
            status = read_record_if_any(f"{self._proc}/{pid}/status")
            merged = parse_merged(read_record_if_any(f"{self._proc}/{pid}/ksm_stat") or "")
            known = _Slow(
                locked_bytes=parse_unreclaimable(status or ""), merged=merged, read_s=now_s
            )
            self._slow[pid] = known
        return known

    def _held(self, pid: int, group: CgroupFigures) -> _Held | None:
        """By one file where that is enough; None: the process is gone."""
        rss_bytes = swap_bytes = None
        if group.swap_bytes is None:
            status = read_record_if_any(f"{self._proc}/{pid}/status") or ""
            swap_bytes = parse_kilobytes(status, name="VmSwap")
            rss_bytes = parse_kilobytes(status, name="VmRSS")  # the same counters as in statm
        if rss_bytes is None:
            statm = read_record_if_any(f"{self._proc}/{pid}/statm")
            if statm is None:
                return None
            rss_bytes = parse_rss(statm)
        return _Held(rss_bytes=rss_bytes, swap_bytes=swap_bytes)

    def _counters(self, pid: int, group: CgroupFigures) -> _Counters:
        """What was fetched for it so far; absent once whenever the source is another one."""
        counters = self._read_counters(pid, group)
        before = self._sources.get(pid)
        self._sources[pid] = counters.source
        if before is not None and before != counters.source:
            return _Counters(source=counters.source)
        return counters

    def _read_counters(self, pid: int, group: CgroupFigures) -> _Counters:
        """The cgroup sees all; the process misses pages that KVM's own threads fetch for it."""
        if group.major_faults is not None or group.swap_in_bytes is not None:
            swap_in, faults, source = group.swap_in_bytes, group.major_faults, "cgroup"
        else:
            stat = read_record_if_any(f"{self._proc}/{pid}/stat") or ""
            swap_in, faults, source = None, parse_major_faults(stat), "process"
        if swap_in is None and faults is not None:
            # A page a fault, its program's own few included: what read-ahead brings is missing.
            swap_in, source = faults * PAGE_BYTES, f"{source} faults"
        return _Counters(source=source, swap_in_bytes=swap_in, major_faults=faults)


def _swap_bytes(held: _Held, group: CgroupFigures, sample: PssSample | None) -> int | None:
    """Its cgroup's word, which counts shared memory too; else the larger of two others.

    VmSwap leaves shared memory out, and so all RAM of a guest on memfd or tmpfs; the slow reading
    has it.
    """
    if group.swap_bytes is not None:
        return group.swap_bytes
    own = held.swap_bytes
    mapped = None if sample is None else sample.swap_bytes
    if own is None or mapped is None:
        return mapped if own is None else own
    return max(own, mapped)
