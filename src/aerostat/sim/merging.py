"""Merging equal pages (KSM): slow to save, quick to cost.

A scanner must see a page twice unchanged before it merges it; a write takes a merged page apart at
once. So what merging saves comes at half the scanner's pace and can go at the pace of writes: a
storm of copies, in the very moment when everybody is busy.
"""

from collections.abc import Sequence

from aerostat.sim.constants import HostPhysics


class Merging:
    """What a host's scanner has merged so far."""

    def __init__(self, physics: HostPhysics) -> None:
        self._physics = physics
        self.merged_bytes = 0.0  # saved: copies that are not there any more
        self.copied_bytes = 0.0  # counter: copied back by writes

    def settle(self, identical_bytes: Sequence[float], dt_s: float) -> None:
        """Let the scanner, and the guests' writes, go on.

        Args:
            identical_bytes: of each guest, what it now has in common with the others.
            dt_s: for how long.
        """
        physics = self._physics
        # One copy stays: the largest set holds all the others, which are taken to be parts of it.
        can = sum(identical_bytes) - max(identical_bytes, default=0.0)
        if can >= self.merged_bytes:
            scanned = physics.merge_scan_bytes_per_s * dt_s / 2
            self.merged_bytes = min(can, self.merged_bytes + scanned)
            return
        copied = min(self.merged_bytes - can, physics.copy_bytes_per_s * dt_s)
        self.merged_bytes -= copied
        self.copied_bytes += copied
