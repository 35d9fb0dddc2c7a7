"""What a guest says over its workload port, read with suspicion.

The guest is not trusted: whatever it sends, what comes out is a valid value or ``BadLineError``.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from aerostat.lab.recording import WorkloadSample

LINE_BYTES_MAX = 65536
_TEXT_CHARS_MAX = 64
_COUNT_MAX = 2**63
_BUCKET_MAX = 600  # 2**50 microseconds
_OURS = frozenset({"guest", "received_s", "latency_histogram"})  # not plain figures of the guest
_FIGURES = {
    field.name: field.type
    for field in dataclasses.fields(WorkloadSample)
    if field.name not in _OURS
}


class BadLineError(ValueError):
    """A line that is not what the workload writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The guest has booted."""

    kernel: str
    uptime_s: float
    swap: str
    balloon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadEnded:
    """The workload's process is gone; above 128: 128 + the signal that killed it."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StallBegan:
    """Somebody in the guest waits for memory, for the first time since that was asked."""

    uptime_s: float  # when it began
    received_s: float  # host's monotonic clock


class LineSplitter:
    """Cuts a stream into lines; of one that is too long nothing is kept."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_skipping = False
        self.too_long = 0

    def feed(self, untrusted_data: bytes) -> list[bytes]:
        """Return the lines that are now complete, without their ends."""
        *complete, self._rest = (self._rest + untrusted_data).split(b"\n")
        if complete and self._is_skipping:
            del complete[0]
            self._is_skipping = False
        if len(self._rest) > LINE_BYTES_MAX:
            self.too_long += not self._is_skipping
            self._is_skipping = True
            self._rest = b""
        return complete


def parse_line(
    untrusted_line: bytes, *, guest: str, received_s: float
) -> WorkloadSample | Hello | WorkloadEnded | StallBegan:
    """Read one line.

    Raises:
        BadLineError: it is not one the workload or the guest's init would write.
    """
    try:
        document = json.loads(untrusted_line)
    except (ValueError, RecursionError) as error:
        raise BadLineError("not JSON") from error
    if not isinstance(document, dict):
        raise BadLineError("not an object")
    match document.get("event"):
        case None:
            return _sample(document, guest=guest, received_s=received_s)
        case "hello":
            return Hello(
                kernel=_text(document, "kernel"),
                uptime_s=_number(document, "uptime_s"),
                swap=_text(document, "swap"),
                balloon=_text(document, "balloon"),
            )
        case "stall":
            return StallBegan(uptime_s=_number(document, "uptime_s"), received_s=received_s)
        case "exit":
            return WorkloadEnded(status=_count(document.get("status"), "status"))
        case _:
            raise BadLineError("an unknown event")


def _sample(document: Mapping[str, object], *, guest: str, received_s: float) -> WorkloadSample:
    figures: dict[str, object] = {
        name: _count(document.get(name), name) if kind is int else _number(document, name)
        for name, kind in _FIGURES.items()
    }
    histogram = document.get("latency_histogram")
    if not isinstance(histogram, dict):
        raise BadLineError("latency_histogram is not an object")
    figures["latency_histogram"] = {
        _bucket(key): _count(count, "a count of requests") for key, count in histogram.items()
    }
    return WorkloadSample(guest=guest, received_s=received_s, **figures)  # type: ignore[arg-type]  # every field was checked against its own type above


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _COUNT_MAX:
        raise BadLineError(f"{name} is not a count")
    return value


def _number(document: Mapping[str, object], name: str) -> float:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadLineError(f"{name} is not a number")
    if not 0 <= value < _COUNT_MAX or not math.isfinite(value):
        raise BadLineError(f"{name} is out of range")
    return float(value)


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value.isprintable() or len(value) > _TEXT_CHARS_MAX:
        raise BadLineError(f"{name} is not a short text")
    return value


def _bucket(key: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) <= 3 and int(key) <= _BUCKET_MAX):
        raise BadLineError("latency_histogram has a bucket that is not one")
    return int(key)
