"""One guest at one instant, as read from its hypervisor and from the host."""

from dataclasses import replace
from enum import StrEnum
from typing import NewType, Self

from aerostat.model.figures import BalloonStatistics, GuestPressure, VmFootprint
from aerostat.model.limits import DeclaredLimits
from aerostat.model.sealed import sealed

GuestId = NewType("GuestId", str)
"""Opaque and stable while the VM lives: its UUID where it has one, else its name."""


class RunState(StrEnum):
    """What the VM is doing. Values are stable."""

    RUNNING = "running"
    PAUSED = "paused"
    MIGRATING = "migrating"  # in or out, or being saved: hands off
    SHUTDOWN = "shutdown"
    CRASHED = "crashed"
    UNREACHABLE = "unreachable"  # its monitor does not answer in time
    UNKNOWN = "unknown"


class Hinting(StrEnum):
    """Free page hinting, a run of which somebody starts. Values are stable: they are stored."""

    OFF = "off"  # its balloon was made without
    IDLE = "idle"
    RUNNING = "running"  # its guest is telling which pages are free, and the host takes them


@sealed
class GuestSnapshot:
    """What was read of one guest in one round. ``None`` is absent, never zero."""

    guest: GuestId
    name: str
    run_state: RunState
    max_bytes: int | None = None  # RAM the guest booted with
    actual_bytes: int | None = None  # what it holds: max - balloon
    has_balloon: bool | None = None  # None: could not be found out
    deflates_on_oom: bool | None = None  # its balloon may let go by itself; None: not known
    # What its hypervisor says was asked of its balloon last, by whomever; None: it does not say.
    standing_target_bytes: int | None = None
    reports_free_pages: bool | None = None  # what its guest frees comes back by itself
    hinting: Hinting | None = None  # None: not known, or its hypervisor has no such thing
    statistics: BalloonStatistics | None = None
    pressure: GuestPressure | None = None
    footprint: VmFootprint | None = None
    disk_read_bytes: int | None = None  # counter: read from its disks, as its hypervisor saw it
    is_backing_up: bool = False  # its disks are being copied: what it swaps would be copied too
    number: str | None = None  # its platform's own id for it, by which rules may name it
    tags: tuple[str, ...] | None = None  # by which rules may name it too; None: it has none
    declared: DeclaredLimits | None = None  # stands above the rules of the configuration
    trouble: str | None = None  # in words, when something could not be read

    def aged(self, by_s: float) -> Self:
        """The same, so much later: nothing new was read, and its figures are as old as that."""
        said, pressed, footprint = self.statistics, self.pressure, self.footprint
        return type(self)(  # field by field: ``replace`` takes three times as long, for hundreds
            guest=self.guest,
            name=self.name,
            run_state=self.run_state,
            max_bytes=self.max_bytes,
            actual_bytes=self.actual_bytes,
            has_balloon=self.has_balloon,
            deflates_on_oom=self.deflates_on_oom,
            standing_target_bytes=self.standing_target_bytes,
            reports_free_pages=self.reports_free_pages,
            hinting=self.hinting,
            statistics=said and said.aged(by_s),
            pressure=pressed and replace(pressed, age_s=pressed.age_s + by_s),
            footprint=footprint and footprint.aged(by_s),
            disk_read_bytes=self.disk_read_bytes,
            is_backing_up=self.is_backing_up,
            number=self.number,
            tags=self.tags,
            declared=self.declared,
            trouble=self.trouble,
        )
