"""A trace as a value, and what is said of one that cannot be used."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerostat.ports.errors import AerostatError
from aerostat.units import GIB, MIB

MAX_BYTES_LEAST = GIB
"""Smaller VMs are left out of a trace: a kernel needs more than the twentieth of it that every
policy may press a guest to. Of a recording they are the operator's own guests, and stay."""
MAX_BYTES_MOST = 64 * GIB
"""Larger VMs are left out: a host of 16 would be about one of them."""
RECORDING_BYTES_LEAST = MIB
RECORDING_SAMPLE_S = 10.0
"""A daemon looks several times a second; the greatest use of so many seconds counts."""

Sizes = npt.NDArray[np.int64]


class TraceError(AerostatError):
    """A file that is no trace; the message says which, where and why."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Memory used by VMs, sampled at equal distances.

    Attributes:
        name: what people know it by.
        max_bytes: of each VM.
        used_bytes: [VM, sample], at most max.
        sample_s: how long each sample is in force.
        names: of the VMs; empty where the source has none.
        notes: what a reader of results should know of the file: what was skipped, cut, filled.
    """

    name: str
    max_bytes: Sizes
    used_bytes: Sizes
    sample_s: float = 300.0
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def vms(self) -> int:
        """How many there are."""
        return len(self.max_bytes)

    @property
    def samples(self) -> int:
        """How many there are."""
        return int(self.used_bytes.shape[1])

    def vm_name(self, vm: int) -> str:
        """What a VM is called."""
        return self.names[vm] if self.names else f"vm-{vm:04d}"

    def part(self, chosen: npt.NDArray[np.intp], span: tuple[int, int]) -> tuple[Sizes, Sizes]:
        """Max, and demand [sample, VM], of some VMs for some samples."""
        used = self.used_bytes[chosen, span[0] : span[1]]
        return self.max_bytes[chosen], np.ascontiguousarray(used.T)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is to be read.

    Attributes:
        is_strict: refuse the file at its first malformed row, instead of counting and skipping.
        sample_s: resample to this; by default the distance most samples have, or 10 s of a
            recording.
        smallest_bytes: VMs with less max are left out; by default 1 GiB, of a recording none.
        largest_bytes: VMs with more max are left out.
        known_samples: how many of so many samples, so many seconds apart, may be looked at to
            choose VMs and take their max: whoever judges on the rest must not know it. All, if
            not said.
    """

    is_strict: bool = False
    sample_s: float | None = None
    smallest_bytes: int | None = None
    largest_bytes: int = MAX_BYTES_MOST
    known_samples: Callable[[int, float], int] | None = None

    def settled(self, *, is_recording: bool) -> "Reading":
        """The same with what is left to the kind of file."""
        smallest, sample_s = self.smallest_bytes, self.sample_s
        if smallest is None:
            smallest = RECORDING_BYTES_LEAST if is_recording else MAX_BYTES_LEAST
        if sample_s is None and is_recording:
            sample_s = RECORDING_SAMPLE_S
        return replace(self, smallest_bytes=smallest, sample_s=sample_s)

    @property
    def least_bytes(self) -> int:
        """Of a VM's max."""
        return MAX_BYTES_LEAST if self.smallest_bytes is None else self.smallest_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a file something is wrong."""

    path: Path
    line: int
    word: str = "line"  # a Parquet file has rows

    def __str__(self) -> str:
        if self.word == "line":
            return f"{self.path}:{self.line}"
        return f"{self.path}, {self.word} {self.line}"
