"""A trace in two parts: one to plan on, and a later one that only judges."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aerostat.planner.constants import DAY_S, HOUR_S, TRAINING_RATIO
from aerostat.planner.question import PlanError, Question
from aerostat.sim.fleet.world import whole_tick_s
from aerostat.sim.trace import Trace
from aerostat.units import format_duration, format_size

Sizes = npt.NDArray[np.int64]

_BLOCKS_MIN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some blocks (days, or hours of a short trace) of a trace, in their order."""

    max_bytes: Sizes  # [VM]
    used_bytes: Sizes  # [VM, sample]
    peak_bytes: Sizes  # [VM, sample]: the most used so far, from the trace's first sample on
    sample_s: float
    block_samples: int
    spell_samples: int  # an hour, where samples are that close
    first_block: int  # of the whole trace
    min_bytes: Sizes | None = None  # [VM], where they are declared
    weight: Sizes | None = None
    above_bytes: Sizes | None = None  # [VM, sample]: wanted beyond a max that was declared

    @property
    def blocks(self) -> int:
        """How many there are."""
        return int(self.used_bytes.shape[1]) // self.block_samples

    @property
    def vms(self) -> int:
        """How many there are."""
        return len(self.max_bytes)

    @property
    def tick_s(self) -> float:
        """How often policies are asked: a whole part of a sample."""
        return whole_tick_s(self.sample_s)

    @property
    def block_s(self) -> float:
        """How long a block is."""
        return self.block_samples * self.sample_s


def parts_of(trace: Trace, question: Question) -> tuple[Part, Part]:
    """Cut a trace into the part to plan on and the later one.

    Raises:
        PlanError: it is too short for two, or no VM of it fits on a host at all.
    """
    fitting = trace.max_bytes <= question.supply_bytes
    if not fitting.any():
        raise PlanError(
            f"{trace.name}: its smallest VM has {format_size(int(trace.max_bytes.min()))}, and a "
            f"host of {format_size(question.host_bytes)} has "
            f"{format_size(question.supply_bytes)} for guests: ask for larger hosts"
        )
    samples = trace.used_bytes.shape[1]
    if samples < 2 * _BLOCKS_MIN:
        whole_s = samples * trace.sample_s
        raise PlanError(
            f"{trace.name}: {samples} samples over {format_duration(whole_s)} are too few to plan "
            f"on one part and judge on another: {2 * _BLOCKS_MIN} samples are the least, days tell"
        )
    block_samples, spell_samples = _block_samples(samples, trace.sample_s)
    blocks = samples // block_samples
    training = _training_blocks(blocks)
    used = trace.used_bytes[fitting]
    peak = np.maximum.accumulate(used, axis=1)

    def part(first: int, end: int) -> Part:
        span = slice(first * block_samples, end * block_samples)
        return Part(
            max_bytes=trace.max_bytes[fitting],
            used_bytes=used[:, span],
            peak_bytes=peak[:, span],
            sample_s=trace.sample_s,
            block_samples=block_samples,
            spell_samples=spell_samples,
            first_block=first,
        )

    return part(0, training), part(training, blocks)


def training_samples(samples: int, sample_s: float) -> int:
    """How many of a trace's samples are planned on; the reader chooses VMs by these alone."""
    if samples < 2 * _BLOCKS_MIN:
        return samples  # refused later
    block_samples, _ = _block_samples(samples, sample_s)
    return _training_blocks(samples // block_samples) * block_samples


def _training_blocks(blocks: int) -> int:
    return min(blocks - 1, max(1, round(blocks * TRAINING_RATIO)))


def _block_samples(samples: int, sample_s: float) -> tuple[int, int]:
    """Days, if there are four; else hours, if there are four; else quarters of what there is."""
    hour = max(1, round(HOUR_S / sample_s))
    for length_s in (DAY_S, HOUR_S):
        # Whole hours, so that every block has hours of its own.
        block = max(1, round(length_s / HOUR_S)) * hour
        if samples >= _BLOCKS_MIN * block:
            return block, hour
    block = samples // _BLOCKS_MIN
    return block, min(hour, block)
