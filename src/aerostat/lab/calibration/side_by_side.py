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


def side_by_side(real: Experiment, simulated: Sequence[Experiment]) -> tuple[Row, ...]:
    """Compare runs of one plan, policy by policy; arms that are void are left out.

    Args:
        real: on real guests.
        simulated: on simulated ones, as often as one likes.
    """
    rows: list[Row] = []
    for policy in dict.fromkeys(arm.policy for arm in real.arms[1:]):
        ours = _arms((real,), policy)
        theirs = _arms(simulated, policy)
        if ours and theirs:
            rows += _of_policy(policy, ours, theirs, real.guest_max_bytes)
    return tuple(rows)


def _arms(experiments: Sequence[Experiment], policy: str) -> "_Arms":
    return [
        (arm, score)
        for experiment in experiments
        for arm, score in zip(experiment.arms[1:], score_experiment(experiment)[1:], strict=True)
        if arm.policy == policy and arm.why_invalid is None
    ]


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
        *_trajectories(policy, real, simulated, sizes),
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


def _trajectories(
    policy: str, real: _Arms, simulated: _Arms, sizes: Mapping[str, int]
) -> list[Row]:
    """How far sizes are apart, second by second, as a share of a guest's max.

    The mean course of the repeats is judged: a single run forks where a sample comes a moment
    sooner or later. Run against run is shown beside it, and so is real run against real run.
    """
    ours = [_course(arm, sizes) for arm, _ in real]
    theirs = [_course(arm, sizes) for arm, _ in simulated]
    between = (
        [_apart(one, _mean([other for other in ours if other is not one])) for one in ours]
        if len(ours) > 1
        else []
    )
    runs = [_apart(one, other) for one in ours for other in theirs]
    real_runs = [_apart(one, other) for one in ours for other in ours if one is not other]
    return [
        Row(
            policy=policy,
            figure="trajectory",
            real=None,
            simulated=None,
            error_ratio=_apart(_mean(ours), _mean(theirs)),
            noise_ratio=fmean(between) if between else None,
            goal_ratio=TRAJECTORY_GOAL_RATIO,
        ),
        Row(
            policy=policy,
            figure="trajectory_of_runs",
            real=None,
            simulated=None,
            error_ratio=fmean(runs),
            noise_ratio=fmean(real_runs) if real_runs else None,
        ),
    ]


_Course = Mapping[tuple[int, str], float]
"""What a guest held in a second, as a share of its max."""


def _course(arm: ArmRecording, sizes: Mapping[str, int]) -> _Course:
    return {
        (number, guest): actual / size
        for number, second in enumerate(arm.seconds)
        for guest, size in sizes.items()
        if (actual := second.guests[guest].actual_bytes) is not None
    }


def _mean(courses: Sequence[_Course]) -> _Course:
    common = set(courses[0]).intersection(*courses[1:])
    return {key: fmean(course[key] for course in courses) for key in sorted(common)}


def _apart(one: _Course, other: _Course) -> float:
    common = [key for key in one if key in other]
    return fmean(abs(one[key] - other[key]) for key in common) if common else 1.0
