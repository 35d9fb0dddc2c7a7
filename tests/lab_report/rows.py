"""Builders of recordings with defaults, for tests that care about one figure at a time."""

from collections.abc import Mapping, Sequence

from aerostat.lab.recording import (
    ArmRecording,
    ArmSecond,
    Experiment,
    GuestSecond,
    Phase,
    WorkloadSample,
)
from aerostat.units import MIB

SMALL = 80 * MIB
BIG = 350 * MIB
IN_TIME = 120  # a bucket that starts at 1.024 ms
LATE = 200  # a bucket that starts at 104 ms


def sample(
    *,
    served: int = 100,
    offered: int = 100,
    histogram: Mapping[int, int] | None = None,
    swap_in_bytes: int = 0,
    oom_kills: int = 0,
    checksum_errors: int = 0,
) -> WorkloadSample:
    return WorkloadSample(
        guest="a",
        received_s=0.0,
        uptime_s=1.0,
        hot_bytes=SMALL,
        heap_bytes=SMALL,
        offered=offered,
        served=served,
        shed=offered - served,
        latency_histogram={IN_TIME: served} if histogram is None else histogram,
        latency_max_s=0.002,
        checksum_errors=checksum_errors,
        total_bytes=470 * MIB,
        available_bytes=100 * MIB,
        free_bytes=90 * MIB,
        swap_total_bytes=512 * MIB,
        swap_free_bytes=512 * MIB,
        swap_in_bytes=swap_in_bytes,
        swap_out_bytes=0,
        major_faults=0,
        refaults=0,
        oom_kills=oom_kills,
        pressure_some_s=0.0,
        pressure_full_s=0.0,
    )


def second(
    elapsed_s: float,
    workload: WorkloadSample | None,
    *,
    hot_bytes: int = SMALL,
    held_bytes: int | None = None,
    guest: str = "a",
) -> ArmSecond:
    return ArmSecond(
        elapsed_s=elapsed_s,
        guests={guest: GuestSecond(hot_bytes=hot_bytes, workload=workload)},
        host_held_bytes=held_bytes,
    )


def arm(
    seconds: Sequence[ArmSecond],
    *,
    phases: Sequence[Phase] = (),
    policy: str = "adaptive",
    repeat: int = 0,
    why_invalid: str | None = None,
) -> ArmRecording:
    return ArmRecording(
        policy=policy,
        repeat=repeat,
        budget_bytes=None if policy == "unconstrained" else 900 * MIB,
        phases=tuple(phases),
        seconds=tuple(seconds),
        why_invalid=why_invalid,
    )


def phase(start_s: float, end_s: float, hot_bytes: int = SMALL, *, guest: str = "a") -> Phase:
    return Phase(start_s=start_s, end_s=end_s, hot_bytes={guest: hot_bytes})


def together(*seconds: ArmSecond) -> ArmSecond:
    """Seconds of several guests at one time, as one row."""
    guests = {name: row for item in seconds for name, row in item.guests.items()}
    return ArmSecond(elapsed_s=seconds[0].elapsed_s, guests=guests)


def served_arm(
    policy: str, served: Sequence[int], *, offered: int = 100, repeat: int = 0
) -> ArmRecording:
    """An arm of one guest that served so many of the offered requests in each second."""
    seconds = [
        second(at, sample(served=count, offered=offered))
        for at, count in enumerate(served, start=1)
    ]
    return arm(seconds, phases=[phase(0, len(served))], policy=policy, repeat=repeat)


def experiment(*arms: ArmRecording, accelerator: str = "tcg") -> Experiment:
    return Experiment(
        name="demo",
        started_utc="2026-01-02T03:04:05Z",
        accelerator=accelerator,
        machine={"cores": 2},
        world={"seed": 7},
        guest_max_bytes={"a": 512 * MIB},
        slo_s=0.02,
        arms=arms,
    )
