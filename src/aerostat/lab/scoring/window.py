"""Which seconds of an arm count: those its phases cover, not the warm-up before them."""

from collections.abc import Sequence

from aerostat.lab.recording import ArmRecording, ArmSecond, Phase

EDGE_S = 0.001
"""Slack at the edges: a row stamped a rounding error after the edge still belongs before it."""


def covered_by(seconds: Sequence[ArmSecond], phase: Phase) -> tuple[ArmSecond, ...]:
    """The rows of one phase. A row describes the second that *ends* at its ``elapsed_s``."""
    return tuple(
        second
        for second in seconds
        if phase.start_s + EDGE_S < second.elapsed_s <= phase.end_s + EDGE_S
    )


def measured_window(arm: ArmRecording) -> Phase:
    """The stretch from the first phase's start to the last one's end; everything if none is."""
    if not arm.phases:
        end_s = max((second.elapsed_s for second in arm.seconds), default=0.0)
        return Phase(start_s=float("-inf"), end_s=end_s, hot_bytes={})
    return Phase(
        start_s=min(phase.start_s for phase in arm.phases),
        end_s=max(phase.end_s for phase in arm.phases),
        hot_bytes={},
    )


def measured_seconds(arm: ArmRecording) -> tuple[ArmSecond, ...]:
    """The rows that count."""
    return covered_by(arm.seconds, measured_window(arm))


def counted_seconds(arm: ArmRecording) -> tuple[ArmSecond, ...]:
    """The rows that count and the one before them, which is where counters start from."""
    window = measured_window(arm)
    before = [second for second in arm.seconds if second.elapsed_s <= window.start_s + EDGE_S]
    return (*before[-1:], *covered_by(arm.seconds, window))
