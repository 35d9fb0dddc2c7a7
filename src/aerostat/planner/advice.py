"""What to declare for each VM, from what it used; and whether that held later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aerostat.planner.constants import (
    FLOOR_BYTES,
    MAX_LEAST_BYTES,
    MIN_STEP_BYTES,
    ROOM_RATIO,
    WEIGHT_LEAST,
    WEIGHT_MOST,
)
from aerostat.planner.parts import Part, Sizes

BUSY_RATIO = 0.05
"""Of all samples, those in which the VMs together used most: then weights decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VmAdvice:
    """One VM, and what came of it on the later part."""

    name: str
    booted_bytes: int  # its max as it is
    typical_bytes: int  # the median of what it used
    peak_bytes: int
    min_bytes: int
    max_bytes: int
    weight: int
    later_above_max_ratio: float  # share of the later time in which it used more


def advice_of(training: Part, later: Part, names: tuple[str, ...]) -> tuple[VmAdvice, ...]:
    """Recommend limits, by what was used in training.

    ``min`` is what a VM mostly needs, ``max`` its peak and room above that, ``weight`` what it adds
    to the busiest times.
    """
    typical = np.median(training.used_bytes, axis=1).astype(np.int64)
    peak = training.used_bytes.max(axis=1)
    wanted = np.maximum(MAX_LEAST_BYTES, _stepped((peak * (1 + ROOM_RATIO)).astype(np.int64)))
    limit = np.minimum(training.max_bytes, wanted)
    floor = np.minimum(limit, _stepped(np.maximum(typical, FLOOR_BYTES)))
    weights = _weights(training, floor)
    above = (later.used_bytes > limit[:, np.newaxis]).mean(axis=1)
    return tuple(
        VmAdvice(
            name=names[vm] if names else f"#{vm}",
            booted_bytes=int(training.max_bytes[vm]),
            typical_bytes=int(typical[vm]),
            peak_bytes=int(peak[vm]),
            min_bytes=int(floor[vm]),
            max_bytes=int(limit[vm]),
            weight=int(weights[vm]),
            later_above_max_ratio=float(above[vm]),
        )
        for vm in range(training.vms)
    )


def with_advice(part: Part, advice: Sequence[VmAdvice]) -> Part:
    """The same VMs with the limits recommended: what they want beyond their max they lack."""
    limit = np.array([vm.max_bytes for vm in advice], dtype=np.int64)
    within = np.minimum(part.used_bytes, limit[:, np.newaxis])
    return replace(
        part,
        max_bytes=limit,
        used_bytes=within,
        above_bytes=part.used_bytes - within,
        min_bytes=np.array([vm.min_bytes for vm in advice], dtype=np.int64),
        weight=np.array([vm.weight for vm in advice], dtype=np.int64),
    )


def _stepped(sizes: Sizes) -> Sizes:
    """Up to a whole number of steps."""
    stepped: Sizes = -(-sizes // MIN_STEP_BYTES) * MIN_STEP_BYTES
    return stepped


def _weights(training: Part, floor: Sizes) -> Sizes:
    """By what each wants above its min while all together want most; 100 is the mean."""
    together = training.used_bytes.sum(axis=0)
    count = max(1, int(BUSY_RATIO * len(together)))
    busy = np.argsort(together, kind="stable")[-count:]
    above = np.maximum(0, training.used_bytes[:, busy] - floor[:, np.newaxis]).mean(axis=1)
    # Shares of what is left go by weight: to want twice as much is no claim to twice as much.
    claims = np.sqrt(above)
    if claims.sum() == 0:
        return np.full(len(floor), 100, dtype=np.int64)
    weights = np.rint(100 * claims / claims.mean())
    clipped: Sizes = np.clip(weights, WEIGHT_LEAST, WEIGHT_MOST).astype(np.int64)
    return clipped
