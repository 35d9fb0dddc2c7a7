"""A synthetic trace: VMs with a day's rhythm, their own bursts, and a few that follow one another.

Its marginals are near those of published traces of business VMs: a twentieth to a tenth of the
capacity is in use, a rise of more than a quarter of it within a sample is seen once or twice in a
thousand samples. It is no substitute for a trace of the operator's own fleet.
"""

import math
import random

import numpy as np

from aerostat.sim.trace import Trace
from aerostat.units import GIB

SIZES_GIB = (1, 2, 4, 4, 8, 8, 16, 16, 32, 64)
"""Capacities to draw from."""
BASE_RATIO = (0.02, 0.15)
"""What a VM uses at its quietest, of its max."""
DAY_RATIO = (0.0, 0.15)
"""How much more at its busiest hour."""
BUSY_HOUR = (14.0, 3.0)
"""Mean and spread of that hour: days are in step, and not quite."""
BURST_CHANCE = 0.004
"""Per sample and VM."""
BURST_RATIO = (0.05, 0.6)
BURST_SAMPLES_MEAN = 4.0
SHARED_BURST_CHANCE = 0.0005
"""Per sample: a tenth of all VMs burst at once, as in a patch night."""
SHARED_PART = 0.1
NOISE_RATIO = 0.01


def synthetic_trace(*, seed: int, vms: int, samples: int, sample_s: float = 300.0) -> Trace:
    """Draw a trace; the same arguments give the same trace."""
    draw = random.Random(seed)
    sizes = [draw.choice(SIZES_GIB) * GIB for _ in range(vms)]
    shared = {t for t in range(samples) if draw.random() < SHARED_BURST_CHANCE}
    rows = [_ratios(draw, samples, sample_s, shared) for _ in range(vms)]
    used = [
        [int(size * min(1.0, max(0.005, ratio))) for ratio in row]
        for size, row in zip(sizes, rows, strict=True)
    ]
    return Trace(
        name=f"synthetic-{seed}",
        max_bytes=np.array(sizes, dtype=np.int64),
        used_bytes=np.array(used, dtype=np.int64),
        sample_s=sample_s,
    )


def _ratios(draw: random.Random, samples: int, sample_s: float, shared: set[int]) -> list[float]:
    """One VM's use over time, as shares of its max."""
    base, day = draw.uniform(*BASE_RATIO), draw.uniform(*DAY_RATIO)
    busy_s = draw.gauss(*BUSY_HOUR) * 3600
    ratios = []
    burst, left = 0.0, 0
    for t in range(samples):
        if left > 0:
            left -= 1
        elif (t in shared and draw.random() < SHARED_PART) or draw.random() < BURST_CHANCE:
            burst, left = draw.uniform(*BURST_RATIO), int(draw.expovariate(1 / BURST_SAMPLES_MEAN))
        else:
            burst = 0.0
        rhythm = (1 + math.cos(2 * math.pi * (t * sample_s - busy_s) / 86400)) / 2
        ratios.append(base + day * rhythm + burst + draw.gauss(0, NOISE_RATIO))
    return ratios
