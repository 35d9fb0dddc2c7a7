"""One schedule on real and on simulated guests under the same policy: how far the two are apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from aerostat.lab.recording import ArmRecording, Experiment
from aerostat.lab.scoring import ArmScore, score_experiment
from aerostat.lab.scoring.scores import RecoveryState

THROUGHPUT_GOAL_RATIO = 0.10
RECOVERY_GOAL_RATIO = 0.25
TRAJECTORY_GOAL_RATIO = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of one policy, means over repeats; ``None``: not measured.

    Attributes:
        policy: the arm.
        figure: its name, with its unit.
        real: what real guests did; absent for what is itself a difference.
        simulated: what simulated ones did.
        error_ratio: how far apart: of what was real, for a trajectory of a guest's max.
        noise_ratio: how far real repeats are apart by the same measure; None with only one.
        goal_ratio: what the error should stay within; None: it is shown, not judged.
    """

    policy: str
    figure: str
    real: float | None
    simulated: float | None
    error_ratio: float | None
    noise_ratio: float | None = None
    goal_ratio: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal_ratio is None or self.error_ratio is None:
            return None
        return self.error_ratio <= self.goal_ratio


def side_by_side(real: Experiment, simulated: Experiment) -> tuple[Row, ...]:
    """Compare two runs of one plan, policy by policy; arms that are void are left out."""
    rows: list[Row] = []
    scores = {id(e): score_experiment(e) for e in (real, simulated)}
    for policy in dict.fromkeys(arm.policy for arm in real.arms[1:]):
        pair = [
            [
                (arm, score)
                for arm, score in zip(e.arms[1:], scores[id(e)][1:], strict=True)
                if arm.policy == policy and arm.why_invalid is None
            ]
            for e in (real, simulated)
        ]
        if all(pair):
            rows += _of_policy(policy, pair[0], pair[1], real.guest_max_bytes)
    return tuple(rows)


_Arms = Sequence[tuple[ArmRecording, ArmScore]]
_MIB = float(1 << 20)


def _of_policy(policy: str, real: _Arms, simulated: _Arms, sizes: Mapping[str, int]) -> list[Row]:
    def compared(
        figure: str,
        of: Callable[[ArmRecording, ArmScore], float],
        *,
        goal: float | None = None,
        least: float = 1.0,
    ) -> Row:
        values = [[of(arm, score) for arm, score in arms] for arms in (real, simulated)]
        return _compared(policy, figure, values, goal=goal, least=least)

    return [
        compared(
            "operations", lambda _, s: float(s.total.operations or 0), goal=THROUGHPUT_GOAL_RATIO
        ),
        # Seconds are whole: what is less than one of them is not an error.
        compared("recovery_s", _recovery_s, goal=RECOVERY_GOAL_RATIO),
        _trajectory(policy, real, simulated, sizes),
        compared(
            "guest_swap_in_bytes",
            lambda _, s: float(s.total.guest_swap_in_bytes or 0),
            least=_MIB,
        ),
        compared(
            "guest_swap_out_bytes",
            lambda _, s: float(s.total.guest_swap_out_bytes or 0),
            least=_MIB,
        ),
    ]


def _compared(
    policy: str,
    figure: str,
    values: Sequence[Sequence[float]],
    *,
    goal: float | None,
    least: float,
) -> Row:
    real, simulated = fmean(values[0]), fmean(values[1])
    scale = max(real, least)
    noise = None
    if len(values[0]) > 1:
        noise = fmean(abs(one - real) for one in values[0]) / scale
    return Row(
        policy=policy,
        figure=figure,
        real=real,
        simulated=simulated,
        error_ratio=abs(simulated - real) / scale,
        noise_ratio=noise,
        goal_ratio=goal,
    )


def _recovery_s(arm: ArmRecording, score: ArmScore) -> float:
    """The mean over guests that grew; who did not recover took at least the whole phase."""
    took = []
    for entry in score.total.recoveries:
        phase = arm.phases[entry.phase]
        if entry.state is RecoveryState.RECOVERED:
            took.append(entry.recovery_s or 0.0)
        elif entry.state is RecoveryState.NOT_RECOVERED:
            took.append(phase.end_s - phase.start_s)
    return fmean(took) if took else 0.0


def _trajectory(policy: str, real: _Arms, simulated: _Arms, sizes: Mapping[str, int]) -> Row:
    """The mean difference of what guests hold, second by second, as a share of their max."""
    apart = [_apart(one, other, sizes) for one, _ in real for other, _ in simulated]
    between = [
        _apart(one, other, sizes) for one, _ in real for other, _ in real if one is not other
    ]
    return Row(
        policy=policy,
        figure="trajectory",
        real=None,
        simulated=None,
        error_ratio=fmean(apart),
        noise_ratio=fmean(between) if between else None,
        goal_ratio=TRAJECTORY_GOAL_RATIO,
    )


def _apart(one: ArmRecording, other: ArmRecording, sizes: Mapping[str, int]) -> float:
    differences = [
        abs(a.guests[guest].actual_bytes - b.guests[guest].actual_bytes) / size  # type: ignore[operator] # both are known
        for a, b in zip(one.seconds, other.seconds, strict=False)
        for guest, size in sizes.items()
        if a.guests[guest].actual_bytes is not None and b.guests[guest].actual_bytes is not None
    ]
    return fmean(differences) if differences else 1.0
