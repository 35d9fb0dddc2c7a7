"""Confidence: how much of what is believed of a guest is sure, from 0 (nothing) to 1.

Four doubts multiply: figures that grow old, few of them so far, a host that measures much more than
the guest says it holds, and use that goes up and down. Low confidence leaves a guest alone and
gives it more headroom; it never gives less.
"""

from aerostat.engine.believe import PERIOD_S_MIN
from aerostat.engine.columns import Round
from aerostat.engine.distress import headroom_bytes
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB

CONFIDENCE_MIN = 0.3
"""Below this nothing is taken. Noise alone does not lead here: it halves confidence at most."""

SAMPLES_SURE = 5
"""So many samples that no move blurred tell how a guest uses its memory."""

AGE_RATIO_SURE = 0.5
"""Figures lose nothing until so much of the age at which they count for nothing."""

NOISE_WEIGHT = 0.5
"""What noise can cost at most; figures that swing by the headroom cost half of that."""

BLURRED_SAMPLES_MAX = 2
"""So many samples a move may blur: the one that falls in it, and one more as it ends.

The largest step takes its balloon 1.4 s (256 MiB for each of 5 s, at 0.9 GiB/s).
"""

HEADROOM_SURE_BYTES = 256 * MIB
"""However sure, no less than this, or than ``headroom``: a small guest's kernel needs all of it."""


def confidence(r: Round, i: int) -> float:
    """How sure the figures of guest ``i`` are now."""
    memory = r.memory
    samples = memory.clean_samples[i]
    if samples <= 0 or memory.used_bytes[i] == ABSENT or r.estimates.is_doubted[i] == 1:
        return 0.0
    # Young figures first: nearly all are.
    sure = 1.0
    age_s, age_s_max = r.estimates.age_s[i], r.knobs.figures_age_s_max
    if age_s > AGE_RATIO_SURE * age_s_max:
        sure = max(0.0, (1.0 - age_s / age_s_max) / (1.0 - AGE_RATIO_SURE))
    if samples < SAMPLES_SURE:
        sure *= samples / SAMPLES_SURE
    swing = memory.remembered_bytes[i] - memory.low_bytes[i]
    if swing > 0.0:
        headroom = r.knobs.headroom_bytes_min + r.knobs.headroom_sure_ratio * r.figures.max_bytes[i]
        sure *= 1.0 - NOISE_WEIGHT * (swing / (swing + headroom))
    return sure


def is_founded_on_old(r: Round, i: int) -> bool:
    """Whether the last sample that no move blurred is too old to take memory on.

    Newer ones may have come while its balloon moved: they tell how it fares, not what it uses. A
    take after the other is founded on a clean sample each, and never waits for this.
    """
    memory, age_s_max = r.memory, r.knobs.figures_age_s_max
    period_s = min(max(memory.sample_period_s[i], PERIOD_S_MIN), age_s_max)
    age_s = memory.clean_age_s[i] + (r.now_s - memory.clean_s[i])
    return age_s > age_s_max + BLURRED_SAMPLES_MAX * period_s


def headroom_of(r: Round, i: int, sure: float) -> int:
    """What it shall have free beyond its working set: the less is sure of it, the more."""
    max_bytes = r.figures.max_bytes[i]
    unsure = headroom_bytes(max_bytes, r.knobs)
    least = max(int(r.knobs.headroom_sure_ratio * max_bytes), HEADROOM_SURE_BYTES)
    least = min(least, unsure)
    return least + int((unsure - least) * (1.0 - sure))
