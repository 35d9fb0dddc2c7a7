"""Confidence: how much of what is believed of a guest is sure, from 0 (nothing) to 1.

Four doubts multiply: figures that grow old, few of them so far, a host that measures much more than
the guest says it holds, and use that goes up and down. Low confidence leaves a guest alone and
gives it more headroom; it never gives less.
"""

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


def headroom_of(r: Round, i: int, sure: float) -> int:
    """What it shall have free beyond its working set: the less is sure of it, the more."""
    max_bytes = r.figures.max_bytes[i]
    unsure = headroom_bytes(max_bytes, r.knobs)
    least = max(int(r.knobs.headroom_sure_ratio * max_bytes), HEADROOM_SURE_BYTES)
    least = min(least, unsure)
    return least + int((unsure - least) * (1.0 - sure))
