"""Checks on what became of guests."""

from typing import Literal

from aerostat.config.values import ShareRatio, SizeBytes
from aerostat.sim.scenario.check import GuestCheck, at, size
from aerostat.sim.scenario.recording import Recording
from aerostat.sim.scenario.values import SizeOrNone


class StaysWithin(GuestCheck):
    """What it holds stays between two sizes."""

    check: Literal["stays_within"]
    least: SizeOrNone = 0
    most: SizeBytes | None = None

    def _judge(self, run: Recording) -> str | None:
        for at_s, name, instant in self.instants(run):
            if instant.actual_bytes < self.least:
                held = size(instant.actual_bytes)
                return f"{name} held {held} {at(at_s)}, less than {size(self.least)}"
            if self.most is not None and instant.actual_bytes > self.most:
                held = size(instant.actual_bytes)
                return f"{name} held {held} {at(at_s)}, more than {size(self.most)}"
        return self.unseen(run)


class ServedAtLeast(GuestCheck):
    """Each of these guests serves at least such a share of what is asked of it."""

    check: Literal["served_at_least"]
    ratio: ShareRatio

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            seconds = [s for s in run.seconds if s.guest == name and self.is_within(s.received_s)]
            offered = sum(second.offered for second in seconds)
            served = sum(second.served for second in seconds)
            if offered == 0 or served < self.ratio * offered:
                share = served / offered if offered else 0.0
                return f"{name} served {share:.1%} of its requests, less than {self.ratio:.1%}"
        return None


class OomKillsAtMost(GuestCheck):
    """So many kills for want of memory, in all these guests together."""

    check: Literal["oom_kills_at_most"]
    count: int

    def _judge(self, run: Recording) -> str | None:
        kills = int(self.risen(run, "oom_kills"))
        return None if kills <= self.count else f"{kills} kills, more than {self.count}"


class SwapOutAtMost(GuestCheck):
    """These guests together swap out so much at most."""

    check: Literal["swap_out_at_most"]
    size: SizeBytes

    def _judge(self, run: Recording) -> str | None:
        written = self.risen(run, "swap_out_bytes")
        if written <= self.size:
            return None
        return f"{size(written)} were swapped out, more than {size(self.size)}"


class SwapInAtMost(GuestCheck):
    """These guests together read so much back at most."""

    check: Literal["swap_in_at_most"]
    size: SizeBytes

    def _judge(self, run: Recording) -> str | None:
        read = self.risen(run, "swap_in_bytes")
        return None if read <= self.size else f"{size(read)} were swapped in"


class GoneBy(GuestCheck):
    """It is gone by the end of the window, or has stopped running: its clock stands still."""

    check: Literal["ended"]

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            lived = [s.received_s for s in run.seconds if s.guest == name]
            if not lived:
                return f"{name} was not there"
            end_s = run.duration_s if self.until is None else self.until
            if max(lived) > end_s - 1.0:
                return f"{name} was still there {at(end_s)}"
        return None
