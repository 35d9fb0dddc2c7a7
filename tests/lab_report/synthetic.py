"""Made-up experiments that look like the lab's, to develop and test what shows them.

SYNTHETIC: a crude model of guests that swap when they hold too little. Its figures say nothing
about any policy and must never be shown as a result.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aerostat.lab.recording import (
    ArmRecording,
    ArmSecond,
    Experiment,
    GuestSecond,
    Phase,
    SpokenDecision,
    WorkloadSample,
)
from aerostat.lab.scoring.histogram import bucket_of
from aerostat.units import MIB

GUESTS = ("web", "db", "ci")
MAX_BYTES = 512 * MIB
BUDGET_BYTES = 900 * MIB
OVERHEAD_BYTES = 72 * MIB  # what a guest's system needs beside its hot set
OFFERED = 2000
PHASE_S = 12
WARM_UP_S = 3
BIG_BYTES = 350 * MIB
SMALL_BYTES = 80 * MIB

TargetRule = Callable[[Mapping[str, int], Mapping[str, int]], Mapping[str, int]]


@dataclass
class GuestModel:
    """One guest: what it holds, how much of its hot set is in memory, and its counters."""

    name: str
    actual_bytes: int
    resident_bytes: int = SMALL_BYTES
    swap_in_bytes: int = 0
    swap_out_bytes: int = 0
    pressure_s: float = 0.0
    uptime_s: float = 10.0
    histogram: dict[int, int] = field(default_factory=dict)

    def live(self, hot_bytes: int, dice: random.Random) -> tuple[int, dict[int, int]]:
        """One second: returns requests served and their latencies."""
        self.uptime_s += 1
        room_bytes = max(0, self.actual_bytes - OVERHEAD_BYTES)
        missing_ratio = max(0.0, 1 - room_bytes / hot_bytes)
        moved = int(missing_ratio * 18 * MIB * dice.uniform(0.8, 1.2))
        self.swap_in_bytes += moved
        self.swap_out_bytes += int(moved * 1.2)
        self.pressure_s += min(1.0, missing_ratio * 2.4)
        self.resident_bytes = min(hot_bytes, room_bytes)
        served = int(OFFERED * max(0.22, 1 - 1.55 * missing_ratio) * dice.uniform(0.99, 1.0))
        typical_s = 0.0011 if missing_ratio == 0 else 0.0011 + 0.42 * min(1.0, missing_ratio * 3)
        histogram: dict[int, int] = {}
        for part in range(100):
            latency_s = typical_s * math.exp(dice.gauss(0, 0.45))
            bucket = bucket_of(min(latency_s, 0.52))
            histogram[bucket] = histogram.get(bucket, 0) + _share(served, part)
        return served, histogram


def _share(served: int, part: int) -> int:
    return served * (part + 1) // 100 - served * part // 100


def phases(names: tuple[str, ...] = GUESTS) -> tuple[Phase, ...]:
    """Every guest is big once."""
    return tuple(
        Phase(
            start_s=float(WARM_UP_S + index * PHASE_S),
            end_s=float(WARM_UP_S + (index + 1) * PHASE_S),
            hot_bytes={name: BIG_BYTES if name == big else SMALL_BYTES for name in names},
        )
        for index, big in enumerate(names)
    )


def hot_at(elapsed_s: float) -> Mapping[str, int]:
    """What the schedule asks for in the second that ends at ``elapsed_s``."""
    for phase in phases():
        if phase.start_s < elapsed_s <= phase.end_s:
            return phase.hot_bytes
    return dict.fromkeys(GUESTS, SMALL_BYTES)


def everything(hot: Mapping[str, int], _: Mapping[str, int]) -> Mapping[str, int]:
    return dict.fromkeys(hot, MAX_BYTES)


def even_split(hot: Mapping[str, int], _: Mapping[str, int]) -> Mapping[str, int]:
    return dict.fromkeys(hot, BUDGET_BYTES // len(hot))


def following(hot: Mapping[str, int], actual: Mapping[str, int]) -> Mapping[str, int]:
    """Grow at once into what is free, shrink by a third of the surplus a second."""
    targets = {}
    for name, hot_bytes in hot.items():
        wish = hot_bytes + OVERHEAD_BYTES + 40 * MIB
        targets[name] = wish if wish > actual[name] else actual[name] - (actual[name] - wish) // 2
    excess = sum(targets.values()) - BUDGET_BYTES
    biggest = max(targets, key=lambda name: targets[name])
    targets[biggest] -= max(0, excess)
    return targets


RULES: Mapping[str, TargetRule] = {
    "unconstrained": everything,
    "static": even_split,
    "adaptive": following,
}


def arm(policy: str = "adaptive", *, repeat: int = 0, seed: int = 1) -> ArmRecording:
    """One arm under one rule."""
    dice = random.Random(f"{policy}/{repeat}/{seed}")
    start_bytes = MAX_BYTES if policy == "unconstrained" else BUDGET_BYTES // len(GUESTS)
    models = {name: GuestModel(name=name, actual_bytes=start_bytes) for name in GUESTS}
    seconds, decisions, churn_bytes = [], [], 0
    for elapsed in range(1, WARM_UP_S + PHASE_S * len(GUESTS) + 1):
        hot = hot_at(elapsed)
        before = {name: model.actual_bytes for name, model in models.items()}
        targets = RULES[policy](hot, before)
        for name, target in targets.items():
            if abs(target - before[name]) > 8 * MIB:
                decisions.append(_spoken(elapsed, name, before[name], target))
        seconds.append(_second(elapsed, hot, models, targets, dice))
        for name, model in models.items():
            model.actual_bytes = targets[name]
            churn_bytes += abs(targets[name] - before[name])
    return ArmRecording(
        policy=policy,
        repeat=repeat,
        budget_bytes=None if policy == "unconstrained" else BUDGET_BYTES,
        phases=phases(),
        seconds=tuple(seconds),
        decisions=tuple(decisions),
        daemon_cpu_s=0.31 if policy == "adaptive" else None,
        host_cpu_s=31.5,
        churn_bytes=churn_bytes,
    )


def experiment(*, repeats: int = 2, seed: int = 1, accelerator: str = "tcg") -> Experiment:
    """An experiment like the demo's, with its arms interleaved."""
    arms = [arm("unconstrained", seed=seed)]
    for repeat in range(repeats):
        arms += [arm(policy, repeat=repeat, seed=seed) for policy in ("static", "adaptive")]
    return Experiment(
        name="demo",
        started_utc="2026-01-02T03:04:05Z",
        accelerator=accelerator,
        machine={
            "cores": 2,
            "ram_bytes": 24 * 1024 * MIB,
            "kernel": "6.18.0",
            "hypervisor": "QEMU 7.2.22",
        },
        world={
            "schedule": "rotate",
            "seed": seed,
            "mode": "release",
            "budget_bytes": BUDGET_BYTES,
            "phase_s": PHASE_S,
            "synthetic": True,
        },
        guest_max_bytes=dict.fromkeys(GUESTS, MAX_BYTES),
        slo_s=0.02,
        arms=tuple(arms),
        notes=("SYNTHETIC figures from a test's generator: not a measurement.",),
    )


def _spoken(elapsed: int, name: str, before: int, target: int) -> SpokenDecision:
    if target > before:
        words = f"gave {(target - before) // MIB} MiB: it swaps in and wants {target // MIB} MiB"
    else:
        words = f"took {(before - target) // MIB} MiB: it has not used them for 3 s"
    return SpokenDecision(elapsed_s=float(elapsed), guest=name, words=words)


def _second(
    elapsed: int,
    hot: Mapping[str, int],
    models: Mapping[str, GuestModel],
    targets: Mapping[str, int],
    dice: random.Random,
) -> ArmSecond:
    guests = {}
    for name, model in models.items():
        served, histogram = model.live(hot[name], dice)
        guests[name] = _guest_second(
            elapsed, model, hot[name], target=targets[name], served=served, histogram=histogram
        )
    held = [guest.held_bytes for guest in guests.values() if guest.held_bytes is not None]
    return ArmSecond(elapsed_s=float(elapsed), guests=guests, host_held_bytes=sum(held))


def _guest_second(
    elapsed: int,
    model: GuestModel,
    hot_bytes: int,
    *,
    target: int,
    served: int,
    histogram: Mapping[int, int],
) -> GuestSecond:
    used = min(model.actual_bytes, model.resident_bytes + OVERHEAD_BYTES)
    spare = model.actual_bytes - used
    return GuestSecond(
        hot_bytes=hot_bytes,
        actual_bytes=model.actual_bytes,
        target_bytes=target,
        used_bytes=used,
        cache_bytes=min(spare, 14 * MIB),
        free_bytes=spare - min(spare, 14 * MIB),
        held_bytes=used + min(spare, 14 * MIB) + 24 * MIB,
        workload=WorkloadSample(
            guest=model.name,
            received_s=1000.0 + elapsed,
            uptime_s=model.uptime_s,
            hot_bytes=hot_bytes,
            heap_bytes=hot_bytes,
            offered=OFFERED,
            served=served,
            shed=OFFERED - served,
            latency_histogram=histogram,
            latency_max_s=0.52,
            checksum_errors=0,
            total_bytes=470 * MIB,
            available_bytes=spare,
            free_bytes=spare - min(spare, 14 * MIB),
            swap_total_bytes=512 * MIB,
            swap_free_bytes=300 * MIB,
            swap_in_bytes=model.swap_in_bytes,
            swap_out_bytes=model.swap_out_bytes,
            major_faults=model.swap_in_bytes // 4096,
            refaults=model.swap_in_bytes // 8192,
            oom_kills=0,
            pressure_some_s=model.pressure_s,
            pressure_full_s=model.pressure_s / 3,
        ),
    )
