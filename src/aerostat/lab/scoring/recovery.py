"""How long a guest that grew needed until it ran at full speed again, for good."""

from collections.abc import Mapping, Sequence

from aerostat.lab.recording import ArmRecording, ArmSecond, Phase, WorkloadSample
from aerostat.lab.scoring.scores import STARVED_BELOW_RATIO, Recovery, RecoveryState
from aerostat.lab.scoring.window import covered_by


def is_starved(sample: WorkloadSample) -> bool:
    """Whether the guest served less than 90 % of what this second offered; no offer, no hunger."""
    return sample.offered > 0 and sample.served < STARVED_BELOW_RATIO * sample.offered


def recoveries(arm: ArmRecording) -> tuple[Recovery, ...]:
    """One entry for each guest that grew, for each phase, in order.

    What counts is the *last* starved second, not the first good ones: right after a change a guest
    still serves what it has not yet grown into, and a rule of "two good seconds" calls that
    recovered.
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
    starved = [elapsed_s for elapsed_s, sample in rows if is_starved(sample)]
    if starved and starved[-1] == rows[-1][0]:
        return Recovery(phase=index, guest=guest, state=RecoveryState.NOT_RECOVERED)
    return Recovery(
        phase=index,
        guest=guest,
        state=RecoveryState.RECOVERED,
        recovery_s=starved[-1] - phase.start_s if starved else 0.0,
    )
