"""Recordings by hand, for tests of checks: one guest ``vm`` of 1 GiB, 20 seconds, all is well."""

from dataclasses import replace

from aerostat.sim.scenario.recording import Command, GuestInstant, Instant, Recording
from aerostat.units import GIB, MIB

WELL = GuestInstant(
    target_bytes=GIB,
    actual_bytes=GIB,
    held_bytes=GIB,
    oom_kills=0,
    swap_in_bytes=0,
    swap_out_bytes=0,
    stalled_s=0.0,
)


def instant(at_s: float, guest: GuestInstant = WELL, **host: int) -> Instant:
    base = Instant(
        at_s=at_s,
        guests={"vm": guest},
        available_bytes=2 * GIB,
        host_swap_in_bytes=0,
        over_bytes=0,
    )
    return replace(base, **host)  # type: ignore[arg-type] # a test names real fields


def command(at_s: float, before_mib: int, target_mib: int) -> Command:
    return Command(
        at_s=at_s, guest="vm", before_bytes=before_mib * MIB, target_bytes=target_mib * MIB
    )


def recording(*special: Instant, commands: tuple[Command, ...] = ()) -> Recording:
    """All is well every second, but for the instants given."""
    by_second = {int(one.at_s): one for one in special}
    return Recording(
        duration_s=20.0,
        names=("vm",),
        max_bytes={"vm": GIB},
        instants=[by_second.get(second, instant(second)) for second in range(20)],
        commands=list(commands),
    )
