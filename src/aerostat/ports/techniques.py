"""The port to what the host itself can do about memory: merge, compress, swap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aerostat.model.host_state import LadderStep
from aerostat.model.techniques import HostTake, Spared


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a take came to, by the host's own measure."""

    taken_bytes: int  # what the host got back, less what compressed pools took for it
    took_s: float
    how: str


class HostTechniques(Protocol):
    """Uses them. One order at a time; whatever is changed can be put back, also after a crash."""

    async def switch_on(self, step: LadderStep, spared: Sequence[Spared]) -> str:
        """Make a technique ready, or see that it is; returns what is there now, in words.

        Raises:
            AerostatError: it cannot be had, or somebody who is to be spared could not be.
        """
        ...

    async def put_back(self, step: LadderStep) -> tuple[str, ...]:
        """Put back what a technique changed; in words what an operator should know.

        Raises:
            AerostatError: something could not be; it is tried again later.
        """
        ...

    async def take(self, order: HostTake) -> Taken:
        """Take memory of one VM.

        Raises:
            AerostatError: nothing was taken.
        """
        ...
