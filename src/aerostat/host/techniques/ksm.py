"""Deduplication: the kernel's KSM merges identical pages of VMs.

QEMU offers its guests' memory for it unless started with ``-machine mem-merge=off`` (libvirt:
``<nosharepages/>``), which is how one VM is left out. What it saves is revocable: a guest that
writes a merged page gets its own again, so it is never counted as capacity.
Kernel documentation: Documentation/admin-guide/mm/ksm.rst.
"""

import os
from dataclasses import dataclass

from aerostat.host.proc_text import parse_count
from aerostat.host.process_memory import Merged, parse_merged
from aerostat.host.techniques.changes import KSM, Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.kernel_thread import read_cpu_s
from aerostat.host.techniques.technique import Probe, Saving, TechniqueError
from aerostat.host.techniques.undo_log import Kind, UndoLog

WARNING = (
    "merged pages are slower to write, and that time tells a guest what others hold: "
    "do not merge between guests that must not learn of each other"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KsmState:
    """How KSM shall run."""

    pages_to_scan: int = 1000  # a wake-up; 200 MB/s at the period below
    sleep_ms: int = 20
    scan_time_s: float | None = None  # the kernel's advisor finds the pages to scan, from 6.7 on

    @property
    def bytes_per_s(self) -> int:
        """Bytes a second that are looked through at most."""
        return self.pages_to_scan * os.sysconf("SC_PAGE_SIZE") * 1000 // self.sleep_ms


class Ksm:
    """KSM of this host."""

    name = "ksm"

    def __init__(self, kernel: Kernel, log: UndoLog) -> None:
        self._kernel = kernel
        self._changes = Changes(self.name, kernel, log)

    def probe(self) -> Probe:
        """Look whether the kernel has it."""
        run = self._kernel.read_if_any(f"{KSM}/run")
        if run is None:
            why = f"{KSM} is missing: this kernel was built without CONFIG_KSM"
            return Probe(is_usable=False, why=why)
        if not os.access(self._kernel.path(f"{KSM}/run"), os.W_OK):
            return Probe(is_usable=False, why=f"{KSM}/run is not writable: run as root")
        state = "runs" if run == "1" else "is there and off"
        return Probe(is_usable=True, why=f"KSM {state}", warning=WARNING)

    def read(self) -> Saving:
        """Read what is merged and what its thread has cost."""
        page_bytes = os.sysconf("SC_PAGE_SIZE")
        sharing, profit = self._count("pages_sharing"), self._signed("general_profit")
        taken = sharing * page_bytes if sharing is not None else None
        held = taken - profit if taken is not None and profit is not None else None
        return Saving(taken_bytes=taken, held_bytes=held, cpu_s=read_cpu_s(self._kernel, "ksmd"))

    def apply(self, state: KsmState) -> None:
        """Merge at the given pace.

        Raises:
            TechniqueError: the kernel refused, or lacks the advisor that was asked for.
        """
        advisor = f"{KSM}/advisor_mode"
        has_advisor = self._kernel.read_if_any(advisor) is not None
        if state.scan_time_s is not None:
            if not has_advisor:
                raise TechniqueError(
                    "this kernel's KSM has no advisor (from 6.7 on): give pages_to_scan instead"
                )
            seconds = str(max(1, round(state.scan_time_s)))
            self._changes.set_knob(f"{KSM}/advisor_target_scan_time", seconds)
            self._changes.set_knob(advisor, "scan-time")
        else:
            if has_advisor:
                self._changes.set_knob(advisor, "none")
            self._changes.set_knob(f"{KSM}/pages_to_scan", str(state.pages_to_scan))
        self._changes.set_knob(f"{KSM}/sleep_millisecs", str(state.sleep_ms))
        self._changes.set_knob(f"{KSM}/run", "1", kind=Kind.KSM_RUN)

    def restore(self) -> list[str]:
        """Part what was merged, where nothing was merged before, and set every knob back."""
        return self._changes.undo()

    def _count(self, name: str) -> int | None:
        text = self._kernel.read_if_any(f"{KSM}/{name}")
        return parse_count(text) if text is not None else None

    def _signed(self, name: str) -> int | None:
        text = self._kernel.read_if_any(f"{KSM}/{name}")
        return int(text) if text is not None and text.lstrip("-").isdigit() else None


def read_merged(kernel: Kernel, pid: int) -> Merged:
    """What the kernel tells of one VM's merged pages."""
    return parse_merged(kernel.read_if_any(f"/proc/{pid}/ksm_stat") or "")
