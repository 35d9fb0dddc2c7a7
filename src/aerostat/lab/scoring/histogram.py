"""Latency histograms with twelve buckets an octave: merged over guests, read as percentiles."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

BUCKETS_PER_OCTAVE = 12


def bucket_of(latency_s: float) -> int:
    """The bucket a latency falls into; everything below one microsecond is in bucket 0."""
    return max(0, math.floor(BUCKETS_PER_OCTAVE * math.log2(max(latency_s * 1e6, 1.0))))


def merge(histograms: Iterable[Mapping[int, int]]) -> Counter[int]:
    """Add histograms bucket by bucket."""
    total: Counter[int] = Counter()
    for histogram in histograms:
        total.update(histogram)
    return total


def percentile_s(histogram: Mapping[int, int], ratio: float) -> float | None:
    """The latency that ``ratio`` of the requests stayed within, in seconds.

    Within a bucket requests are taken to lie evenly on the logarithmic scale, so the error is at
    most the width of a bucket, 6 %. ``None``: the histogram is empty.
    """
    total = sum(histogram.values())
    if total == 0:
        return None
    wanted = ratio * total
    below = 0
    for bucket in sorted(histogram):
        count = histogram[bucket]
        if count and below + count >= wanted:
            return _edge_s(bucket + (wanted - below) / count)
        below += count
    return _edge_s(max(histogram) + 1.0)


def count_within(histogram: Mapping[int, int], limit_s: float) -> float:
    """How many requests took at most ``limit_s``; the bucket the limit cuts counts in part."""
    cut = BUCKETS_PER_OCTAVE * math.log2(max(limit_s * 1e6, 1e-3))
    return sum(count * min(1.0, max(0.0, cut - bucket)) for bucket, count in histogram.items())


def _edge_s(position: float) -> float:
    return float(2.0 ** (position / BUCKETS_PER_OCTAVE)) * 1e-6
