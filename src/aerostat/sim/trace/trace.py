"""A trace as a value, and what is said of one that cannot be used."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerostat.ports.errors import AerostatError
from aerostat.units import GIB

MAX_BYTES_LEAST = GIB
MAX_BYTES_MOST = 64 * GIB
"""VMs of other sizes are left out: a host of 16 would be about one of them."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is to be read.

    Attributes:
        is_strict: refuse the file at its first malformed row, instead of counting and skipping.
        sample_s: resample to this; by default the distance most samples have.
        smallest_bytes: VMs with less max are left out.
        largest_bytes: VMs with more max are left out.
    """

    is_strict: bool = False
    sample_s: float | None = None
    smallest_bytes: int = MAX_BYTES_LEAST
    largest_bytes: int = MAX_BYTES_MOST


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
