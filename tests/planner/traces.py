"""Small traces for tests. Sizes in GiB, a row for each VM."""

import random

import numpy as np

from aerostat.planner.question import Question
from aerostat.sim.trace import Trace
from aerostat.units import GIB


def trace(
    used_gib: list[list[float]], *, max_gib: float | list[float] = 4.0, sample_s: float = 20.0
) -> Trace:
    sizes = max_gib if isinstance(max_gib, list) else [max_gib] * len(used_gib)
    return Trace(
        name="test",
        max_bytes=(np.array(sizes) * GIB).astype(np.int64),
        used_bytes=(np.array(used_gib) * GIB).astype(np.int64),
        sample_s=sample_s,
        names=tuple(f"vm-{number}" for number in range(len(used_gib))),
    )


def constant(gib: float, *, vms: int = 6, samples: int = 24, max_gib: float = 4.0) -> Trace:
    return trace([[gib] * samples] * vms, max_gib=max_gib)


def restless(*, seed: int = 1, vms: int = 8, samples: int = 32) -> Trace:
    """VMs that use little, and sometimes much."""
    draw = random.Random(seed)
    rows = [[draw.choice([0.4, 0.5, 0.6, 0.6, 2.5]) for _ in range(samples)] for _ in range(vms)]
    return trace(rows)


def question(host_gib: float = 24.0, **more: object) -> Question:
    small: dict[str, object] = {"resamples": 4, "hosts_a_resample": 1, **more}
    return Question(host_bytes=int(host_gib * GIB), **small)  # type: ignore[arg-type] # real fields
