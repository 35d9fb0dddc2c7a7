"""What is measured of a burst."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of hearing of it."""

    name: str
    words: str
    period_s: int  # of the balloon driver's statistics
    hears_agent: bool = False
    is_raw: bool = False  # no daemon: the target is sent when the stall is told
    bursts_a_repeat: int = 1


ARMS = (
    Arm(
        name="raw",
        words="no daemon: the target is sent at the first stall",
        period_s=1,
        is_raw=True,
    ),
    Arm(
        name="pushed",
        words="pushed by the agent; statistics every 10 s",
        period_s=10,
        hears_agent=True,
        bursts_a_repeat=5,  # of it a p99 is asked, which takes a hundred; 20 repeats bring them
    ),
    Arm(name="1s", words="statistics every second", period_s=1),
    Arm(name="2s", words="statistics every 2 s", period_s=2),
    Arm(name="10s", words="statistics every 10 s", period_s=10),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """One burst of one guest; times from the first stall, None: not within the deadline."""

    arm: str
    repeat: int
    gap_bytes: int
    was_at_rest: bool  # False: it held more, or waited already, before it was told to grow
    why_not_at_rest: str | None = None
    stalled_after_s: float | None  # from the order to grow; None: it never stalled
    sent_s: float | None = None  # raw: when the target was sent
    first_page_s: float | None = None
    most_s: float | None = None  # 90 % of the gap
    offered: int = 0  # requests, from the order to grow to the end of the look
    lost: int = 0  # of them not served in their second

    @property
    def moving_s(self) -> float | None:
        """From the first page to 90 % of the gap: what the mechanism took, whoever called it."""
        if self.most_s is None or self.first_page_s is None:
            return None
        return self.most_s - self.first_page_s

    @property
    def mechanism_s(self) -> float | None:
        """Raw: from the command to 90 % of the gap; nothing that gives memory can be sooner."""
        if self.most_s is None or self.sent_s is None:
            return None
        return self.most_s - self.sent_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Bursts:
    """All of them."""

    started_utc: str
    accelerator: str
    machine: Mapping[str, str | int | float]
    world: Mapping[str, int | float]
    bursts: tuple[Burst, ...]
    notes: tuple[str, ...] = ()
