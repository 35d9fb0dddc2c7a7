"""Checks on what became of the host."""

from typing import Literal

from aerostat.config.values import DurationS, SizeBytes
from aerostat.sim.scenario.check import Check, at, size
from aerostat.sim.scenario.recording import Recording
from aerostat.sim.scenario.values import SizeOrNone


class HostAvailableAtLeast(Check):
    """The host has so much available all the time."""

    check: Literal["host_available_at_least"]
    size: SizeOrNone

    def _judge(self, run: Recording) -> str | None:
        for instant in self.window(run.instants):
            if instant.available_bytes < self.size:
                had = size(instant.available_bytes)
                return f"the host had {had} available {at(instant.at_s)}"
        return None


class HostRecovers(Check):
    """The host has so much available again in time, and from then on."""

    check: Literal["host_recovers"]
    size: SizeBytes
    within: DurationS

    def _judge(self, run: Recording) -> str | None:
        for instant in self.window(run.instants):
            late = instant.at_s > self.after + self.within
            if late and instant.available_bytes < self.size:
                had = size(instant.available_bytes)
                return f"the host had {had} available {at(instant.at_s)}"
        return None


class HostNeverOver(Check):
    """Nobody would have been killed: what is needed fits the host's RAM and swap."""

    check: Literal["host_never_over"]

    def _judge(self, run: Recording) -> str | None:
        for instant in self.window(run.instants):
            if instant.over_bytes > 0:
                lacked = size(instant.over_bytes)
                return f"the host lacked {lacked} beyond RAM and swap {at(instant.at_s)}"
        return None


class HostSwapInAtMost(Check):
    """The host reads so much back from its swap at most."""

    check: Literal["host_swap_in_at_most"]
    size: SizeBytes

    def _judge(self, run: Recording) -> str | None:
        instants = list(self.window(run.instants))
        read = instants[-1].host_swap_in_bytes - instants[0].host_swap_in_bytes
        return None if read <= self.size else f"the host read {size(read)} back from its swap"


class ActualSumAtMost(Check):
    """The guests together hold so much at most."""

    check: Literal["actual_sum_at_most"]
    size: SizeBytes

    def _judge(self, run: Recording) -> str | None:
        for instant in self.window(run.instants):
            held = sum(guest.actual_bytes for guest in instant.guests.values())
            if held > self.size:
                return f"the guests held {size(held)} {at(instant.at_s)}"
        return None


class Refused(Check):
    """A VM that asked to start was not let in, because there was no room."""

    check: Literal["refused"]
    guest: str

    def _judge(self, run: Recording) -> str | None:
        return None if self.guest in run.refused else f"{self.guest} was let in"
