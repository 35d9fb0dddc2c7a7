"""What a scenario's guests felt: latencies of their requests, and how long they starved."""

from collections import Counter
from collections.abc import Iterable

from aerostat.sim.scenario.recording import Recording
from aerostat.sim.seconds import BUCKETS_PER_OCTAVE, WorkloadSecond

SERVED_LEAST_RATIO = 0.9
"""Of the requests that came: a guest of which less was served starves."""


def is_starved(second: WorkloadSecond) -> bool:
    """Whether less of what came was served."""
    return second.served < SERVED_LEAST_RATIO * second.offered


def latencies_s(seconds: Iterable[WorkloadSecond], ratios: tuple[float, ...]) -> list[float]:
    """What so large shares of the requests stayed within; nothing where there were none.

    Within a bucket requests lie evenly: the error is at most its width, 6 %.
    """
    counts: Counter[int] = Counter()
    for second in seconds:
        counts.update(second.latency_histogram)
    total = sum(counts.values())
    found = []
    for ratio in ratios if total else ():
        below = 0.0
        for bucket in sorted(counts):
            if counts[bucket] and below + counts[bucket] >= ratio * total:
                place = bucket + (ratio * total - below) / counts[bucket]
                found.append(2.0 ** (place / BUCKETS_PER_OCTAVE) * 1e-6)
                break
            below += counts[bucket]
    return found


def recoveries_s(recording: Recording) -> list[int]:
    """How long each guest starved each time, until it was served again; in order of time."""
    since: dict[str, int] = {}
    found = []
    for second in recording.seconds:
        if is_starved(second):
            since[second.guest] = since.get(second.guest, 0) + 1
        elif second.guest in since:
            found.append(since.pop(second.guest))
    return found
