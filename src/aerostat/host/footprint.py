"""What a VM's process really holds of the host, each measure under its own name."""

from collections.abc import Callable
from pathlib import Path

from aerostat.host.cgroup import CgroupReader
from aerostat.host.proc_text import read_text_if_any
from aerostat.host.process_memory import parse_kilobytes, parse_rss
from aerostat.host.pss import PssSampler
from aerostat.model.figures import VmFootprint


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
    ) -> None:
        self._root = root
        self._now_s = now_s
        self._cgroups = CgroupReader(root)
        self._pss = PssSampler(now_s=now_s, root=root, period_s=pss_period_s)

    def read(self, pid: int) -> VmFootprint | None:
        """Read now; None when the process is gone.

        The age is that of ``held_bytes``: zero, but for PSS.
        """
        statm = read_text_if_any(self._root / f"proc/{pid}/statm")
        if statm is None:
            self._pss.forget(pid)
            return None
        status = read_text_if_any(self._root / f"proc/{pid}/status") or ""
        cgroup_bytes = self._cgroups.read_charge(pid)
        sample = self._pss.last(pid) if cgroup_bytes is None else None
        return VmFootprint(
            age_s=max(0.0, self._now_s() - sample.read_s) if sample is not None else 0.0,
            cgroup_bytes=cgroup_bytes,
            pss_bytes=sample.pss_bytes if sample is not None else None,
            rss_bytes=parse_rss(statm),
            swap_bytes=parse_kilobytes(status, name="VmSwap"),
        )

    def close(self) -> None:
        """Stop reading PSS."""
        self._pss.close()
