"""From what an arm recorded to the figures it is judged by; pure arithmetic, no I/O."""

from aerostat.lab.scoring.arm import score_arm, score_experiment
from aerostat.lab.scoring.scores import ArmScore, GuestScore, Recovery

__all__ = ["ArmScore", "GuestScore", "Recovery", "score_arm", "score_experiment"]
