"""What an arm has taken back of its guests: what they cost less than with all their memory."""

from collections.abc import Sequence
from dataclasses import replace

from aerostat.lab.experiment.policies import UNCONSTRAINED
from aerostat.lab.recording import ArmRecording


def with_taken_back(arms: Sequence[ArmRecording]) -> tuple[ArmRecording, ...]:
    """The same arms, each beside the references that others did not disturb."""
    references = [arm for arm in arms if arm.technique is None and arm.policy == UNCONSTRAINED]
    costs = [mean for arm in references if arm.why_invalid is None and (mean := _mean_held(arm))]
    if not costs:
        return tuple(arms)
    most = sum(costs) // len(costs)
    return tuple(_beside(arm, most) for arm in arms)


def _beside(arm: ArmRecording, most_bytes: int) -> ArmRecording:
    held = _mean_held(arm)
    if arm.technique is None or held is None:
        return arm
    return replace(arm, taken_back_bytes=max(0, most_bytes - held))


def _mean_held(arm: ArmRecording) -> int | None:
    held = [row.host_held_bytes for row in arm.seconds if row.host_held_bytes is not None]
    return sum(held) // len(held) if held else None
