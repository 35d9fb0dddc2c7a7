"""How long a guest that grew needed until it ran at full speed again, for good."""

from collections.abc import Mapping, Sequence

from aerostat.lab.recording import ArmRecording, ArmSecond, Phase, WorkloadSample
from aerostat.lab.scoring.scores import STARVED_BELOW_RATIO, Recovery, RecoveryState
from aerostat.lab.scoring.window import covered_by

MADE_UP_RATIO = 0.8
"""Of what a second left undone, so much is made up for in the next: reports come a little early or
late. Seen: 1,940 of 2,160 requests and then 2,030 of 1,840, and nobody waited for 50 ms."""


def is_starved(sample: WorkloadSample) -> bool:
    """Whether the guest served less than 90 % of what this second offered; no offer, no hunger."""
    return sample.offered > 0 and sample.served < STARVED_BELOW_RATIO * sample.offered


def recoveries(arm: ArmRecording) -> tuple[Recovery, ...]:
    """One entry for each guest that grew, for each phase, in order.

    What counts is the *last* starved second, not the first good ones: right after a change a guest
    still serves what it has not yet grown into, and a rule of "two good seconds" calls that
    recovered. A second that is made up for in the next is not starved: seconds cut a pause of some
    tenths in two, requests wait for so long without being given up, and any one pause of the
    machine late in a phase would otherwise stand for the whole of it.
    """
    return tuple(
        _recovery(arm.seconds, phase=phase, index=index, guest=guest)
        for index, phase in enumerate(arm.phases)
        for guest in _grown(arm.phases, index)
    )


def _grown(phases: Sequence[Phase], index: int) -> tuple[str, ...]:
    # Before the first phase stands the warm-up, which leaves every guest at its least.
    before = phases[index - 1].hot_bytes if index else _least(phases)
    return tuple(
        guest
        for guest, hot_bytes in sorted(phases[index].hot_bytes.items())
        if hot_bytes > before.get(guest, 0)
    )


def _least(phases: Sequence[Phase]) -> Mapping[str, int]:
    least: dict[str, int] = {}
    for phase in phases:
        for guest, hot_bytes in phase.hot_bytes.items():
            least[guest] = min(hot_bytes, least.get(guest, hot_bytes))
    return least


def _recovery(seconds: Sequence[ArmSecond], *, phase: Phase, index: int, guest: str) -> Recovery:
    rows = [
        (second.elapsed_s, row.workload)
        for second in covered_by(seconds, phase)
        if (row := second.guests.get(guest)) is not None and row.workload is not None
    ]
    if not rows:
        return Recovery(phase=index, guest=guest, state=RecoveryState.NOT_MEASURED)
    starved = _starved_s(rows)
    if starved and starved[-1] == rows[-1][0]:
        return Recovery(phase=index, guest=guest, state=RecoveryState.NOT_RECOVERED)
    return Recovery(
        phase=index,
        guest=guest,
        state=RecoveryState.RECOVERED,
        recovery_s=starved[-1] - phase.start_s if starved else 0.0,
    )


def _starved_s(rows: Sequence[tuple[float, WorkloadSample]]) -> list[float]:
    """When the starved seconds were whose requests were given up, not only late."""
    samples = [sample for _, sample in rows]
    following = [*samples[1:], None]
    return [
        elapsed_s
        for (elapsed_s, sample), after in zip(rows, following, strict=True)
        if is_starved(sample) and not (after is not None and _is_made_up_for(sample, after))
    ]


def _is_made_up_for(sample: WorkloadSample, after: WorkloadSample) -> bool:
    """Whether what a second left undone was done in the next, beyond what that one was asked."""
    missing = sample.offered - sample.served
    return after.served - after.offered >= MADE_UP_RATIO * missing
