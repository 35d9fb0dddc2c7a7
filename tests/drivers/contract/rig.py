"""What a hypervisor has to offer so that its driver can be held to the contract.

A rig is a hypervisor of the test's own, with the driver under test open on it. A case (``cases_*``)
starts VMs, does to them what happens to VMs, and looks at what the driver makes of it, through the
port alone. Time is the running loop's: a rig may live on virtual time or on the machine's own.

To hold another driver to it: a module with a subclass of ``Rig`` and its ``RigKind``, and a line in
``kinds.py``. What a hypervisor cannot do, or cannot be made to do here, is declared with the reason
in ``RigKind.cannot``; it is shown on docs/drivers.md.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

import pytest

from aerostat.model.events import Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.errors import GuestGoneError
from aerostat.units import MIB, PAGE_BYTES

_LOOK_S = 0.05


class Kind(Enum):
    """What a VM is to be like."""

    ORDINARY = auto()  # with a balloon whose driver runs
    NO_DRIVER = auto()  # with a balloon, and no driver in its guest
    REFUSING = auto()  # its hypervisor says no to every target


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What differs between hypervisors without being right or wrong."""

    max_bytes: int = 512 * MIB  # RAM of the VMs that the rig starts
    step_bytes: int = PAGE_BYTES  # targets that differ by less come to the same
    deadline_s: float = 2.0  # of one operation of the driver
    patience_s: float = 30.0  # how long a case waits for what must come
    settle_s: float = 3.0  # how long it looks at what must not move
    report_s: float = 3.0  # a figure of a VM that runs is not older
    notice_s: float = 0.0  # a VM that hangs may look well for so long
    state_in_migration: RunState = RunState.MIGRATING


class Rig(ABC):
    """A hypervisor and an open driver; VMs are known by the names that cases give them."""

    traits = Traits()

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.driver: HypervisorDriver  # set by the subclass before a case runs

    # The hypervisor's side.

    @abstractmethod
    async def start(self, name: str, kind: Kind = Kind.ORDINARY) -> None:
        """A VM starts; returns once its guest runs."""

    @abstractmethod
    async def end(self, name: str) -> None:
        """It ends, without a word."""

    @abstractmethod
    async def reopen(self) -> None:
        """Close the driver, and open another one, as a daemon does that is started anew."""

    @abstractmethod
    async def actual_bytes(self, name: str) -> int:
        """What the VM holds, by another way than the driver."""

    @abstractmethod
    async def available_bytes(self, name: str) -> int:
        """What is available in its guest, by another way than the driver."""

    async def pause(self, name: str) -> None:
        """Somebody stops its CPUs."""
        raise NotImplementedError(name)

    async def resume(self, name: str) -> None:
        """Somebody lets them go on."""
        raise NotImplementedError(name)

    async def reset(self, name: str) -> None:
        """Somebody resets it; returns once its fresh guest runs."""
        raise NotImplementedError(name)

    async def begin_migration(self, name: str) -> None:
        """Somebody migrates or saves it; it takes until it is called off."""
        raise NotImplementedError(name)

    async def end_migration(self, name: str) -> None:
        """That is called off, and the VM goes on."""
        raise NotImplementedError(name)

    async def hang(self, name: str) -> None:
        """It takes what is sent and says nothing."""
        raise NotImplementedError(name)

    async def wake(self, name: str) -> None:
        """It answers again."""
        raise NotImplementedError(name)

    async def lose_replies(self, name: str) -> None:
        """It will carry targets out, sooner or later, and nobody hears of it."""
        raise NotImplementedError(name)

    async def keep_replies(self, name: str) -> None:
        """It answers again."""
        raise NotImplementedError(name)

    async def cut(self, name: str) -> None:
        """The driver's connection to it breaks; the VM lives on and can be reached anew."""
        raise NotImplementedError(name)

    async def stall(self, name: str) -> None:
        """Its balloon stops moving."""
        raise NotImplementedError(name)

    async def unstall(self, name: str) -> None:
        """Its balloon moves again."""
        raise NotImplementedError(name)

    def wall_s(self) -> float:
        """The host's wall clock, by which samples are stamped."""
        return time.time()

    # What cases ask.

    async def named(self, name: str) -> GuestId | None:
        """The guest of that name that answers, if it is listed."""
        for guest in await self.driver.list_guests():
            try:
                read = await self.driver.read_guest(guest)
            except GuestGoneError:
                continue  # gone between the two
            if read.name == name and read.run_state is not RunState.UNREACHABLE:
                return guest
        return None

    async def started(self, name: str, kind: Kind = Kind.ORDINARY) -> GuestId:
        """Start a VM and wait until the driver knows it."""
        await self.start(name, kind)
        return await self.met(name)

    async def met(self, name: str) -> GuestId:
        """Wait until the driver knows a VM of that name, and return its id."""
        found: list[GuestId] = []

        async def is_met() -> bool:
            guest = await self.named(name)
            found.extend(() if guest is None else (guest,))
            return guest is not None

        await self.until(is_met, f"{name} is known")
        return found[-1]

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for a condition, with the rig's patience."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + self.traits.patience_s
        while not await condition():
            assert loop.time() < give_up_s, f"{what}: not in {self.traits.patience_s} s"
            await asyncio.sleep(_LOOK_S)

    async def until_read(
        self, guest: GuestId, wanted: Callable[[GuestSnapshot], bool], what: str
    ) -> GuestSnapshot:
        """Read a guest until it is as wanted."""
        last: list[GuestSnapshot] = []

        async def is_so() -> bool:
            last[:] = [await self.driver.read_guest(guest)]
            return wanted(last[0])

        try:
            await self.until(is_so, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; last read {last}") from None
        return last[0]

    async def until_actual(self, guest: GuestId, target_bytes: int) -> GuestSnapshot:
        """Read a guest until it holds what was asked for, to its hypervisor's step."""
        return await self.until_read(
            guest,
            lambda read: self.is_at(read.actual_bytes, target_bytes),
            f"it holds {target_bytes} bytes",
        )

    def is_at(self, actual_bytes: int | None, target_bytes: int) -> bool:
        """Whether a guest holds what was asked for, to its hypervisor's step."""
        if actual_bytes is None:
            return False
        return -PAGE_BYTES < actual_bytes - target_bytes < self.traits.step_bytes

    def told(self, guest: GuestId) -> list[LifecycleKind]:
        """What the driver told of a guest's life, in order."""
        events = (e for e in self.events if isinstance(e, LifecycleChanged))
        return [event.kind for event in events if event.guest == guest]

    async def until_told(self, guest: GuestId, kind: LifecycleKind) -> None:
        """Wait until the driver has told that of a guest's life."""

        async def is_told() -> bool:
            return kind in self.told(guest)

        await self.until(is_told, f"{kind} is told of {guest}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that every driver must do."""

    name: str
    promise: str  # for the table of docs/drivers.md
    play: Callable[[Rig], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RigKind:
    """A driver with what is behind it in the test: one column of docs/drivers.md."""

    name: str  # of the column and of the tests
    peer: str  # what is behind the driver, in words
    play: Callable[[Case, Path], None]  # runs one case on a new rig, in an empty directory
    cannot: Mapping[str, str] = field(default_factory=dict)  # names of cases, and why not
    marks: tuple[pytest.MarkDecorator, ...] = ()
    when: str | None = None  # what runs it, for the page; None: as its marks say
    shown: str = "yes"  # in the table, where a case is played
    # Why it cannot run on this machine; None: it can.
    missing: Callable[[], str | None] = lambda: None
