"""What happens in a scenario, and when: one ``[[at]]`` of the file."""

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

from aerostat.config.values import DurationS, Glob, ShareRatio, SizeBytes, Truth, choice
from aerostat.sim.faults import Faults
from aerostat.sim.scenario.values import JumpS, SizeOrNone, Table


class Deed(StrEnum):
    """What can be done to a guest."""

    PAUSE = "pause"
    RESUME = "resume"
    RESET = "reset"
    MIGRATE = "migrate"  # or save: hands off from now on
    BACK_UP = "back_up"  # its disks are being copied from now on
    BACKED_UP = "backed_up"  # and no more
    POWER_DOWN = "power_down"  # its power button is pressed
    REMOVE = "remove"


class DaemonDeed(StrEnum):
    """What can be done to the daemon."""

    START = "start"  # it starts; the guests are as they are
    KILL = "kill"  # it ends without a word
    STOP = "stop"  # it ends in order and leaves targets as they are
    RELEASE = "release"  # it ends in order and gives guests their max back


class FaultTable(Table):
    """Faults that begin or end; those not named stay as they are."""

    stalled: Truth | None = None
    hung: Truth | None = None
    refuses_targets: Truth | None = None
    loses_replies: Truth | None = None
    unavailable: Truth | None = None
    frozen_statistics: Truth | None = None
    absent_figures: tuple[str, ...] | None = None
    claimed_available: ShareRatio | None = None
    keeps_touching: Truth | None = None
    pinned: Truth | None = None
    ignores_power_button: Truth | None = None
    driver: Truth | None = None

    def apply(self, faults: Faults) -> None:
        """Switch a guest's faults."""
        for key, name in _FAULT_NAMES.items():
            value = getattr(self, key)
            if value is not None:
                setattr(faults, name, value)
        if self.absent_figures is not None:
            faults.absent_figures = frozenset(self.absent_figures)


_FAULT_NAMES = {
    "stalled": "is_stalled",
    "hung": "is_hung",
    "refuses_targets": "refuses_targets",
    "loses_replies": "loses_replies",
    "unavailable": "is_unavailable",
    "frozen_statistics": "has_frozen_statistics",
    "claimed_available": "claimed_available_ratio",
    "keeps_touching": "keeps_touching",
    "pinned": "is_pinned",
    "ignores_power_button": "ignores_power_button",
    "driver": "has_driver",
}


class Happening(Table):
    """One thing that happens, once or again and again."""

    time: DurationS
    every: DurationS | None = None  # and again, so often ...
    until: DurationS | None = None  # ... up to then; by default to the end
    guest: Glob | None = None  # to whom: a name or a glob
    hot: SizeOrNone | None = None
    heap: SizeBytes | None = None
    files: SizeOrNone | None = None
    identical: SizeOrNone | None = None
    rate: int | None = None
    target: SizeBytes | None = None  # somebody else sets a target
    fault: FaultTable | None = None
    do: Annotated[Deed, BeforeValidator(choice(Deed))] | None = None
    others: SizeOrNone | None = None  # the host's own programs hold so much ...
    shared: SizeOrNone | None = None  # merging pages saves so much ...
    over: DurationS | None = None  # ... reached in a straight line over so long
    wall_jump: JumpS | None = None
    daemon: Annotated[DaemonDeed, BeforeValidator(choice(DaemonDeed))] | None = None

    @property
    def is_about_guests(self) -> bool:
        """Whether it needs to say to whom."""
        loads = (self.hot, self.heap, self.files, self.identical, self.rate)
        about = (*loads, self.target, self.fault, self.do)
        return any(value is not None for value in about)

    @property
    def is_about_the_host(self) -> bool:
        """Whether it changes the host or the daemon."""
        about = (self.others, self.shared, self.wall_jump, self.daemon)
        return any(value is not None for value in about)

    def times_s(self, duration_s: float) -> tuple[float, ...]:
        """When it happens."""
        times = [self.time]
        end_s = duration_s if self.until is None else min(self.until, duration_s)
        while self.every is not None and times[-1] + self.every < end_s:
            times.append(times[-1] + self.every)
        return tuple(times)
