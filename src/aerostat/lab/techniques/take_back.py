"""How fast each technique takes 256 MiB back, and gives it again: by the host's measured memory.

Not by ``actual`` and not by RSS: both fall while the host has got nothing. One guest is big first;
then what it used is free in it, or cold. From the order on, the host's measure is read every 20 ms.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from aerostat.engine.params import Accounting, EngineParams, HostParams
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_reclaim import SLICE_BYTES, ReclaimState, VmReclaim
from aerostat.lab.experiment.controller import ThreadController
from aerostat.lab.experiment.policies import ADAPTIVE, UNCONSTRAINED, arm_params
from aerostat.lab.experiment.real_fleet import RealFleet
from aerostat.lab.recording import TakeBack
from aerostat.lab.schedule import Schedule
from aerostat.lab.techniques.arms import LADDER, Host, TechniqueArm
from aerostat.lab.techniques.balance import ladder_params
from aerostat.lab.techniques.budget import Measure
from aerostat.lab.techniques.budget_sensor import BudgetSensor
from aerostat.model.limits import Amount
from aerostat.units import MIB

TAKE_BYTES = 256 * MIB
ARRIVED_RATIO = 0.95
LOOK_S = 0.02
FILL_S_MAX = 12.0
FILL_HURRY = 4
FILL_RATIO = 0.9
SETTLE_S = 1.5
WELL_RATIO = 0.95

NAMES = ("host_swap", "zswap", "zram", "reporting", "balloon", "ladder")
"""Those that can take memory of one guest; an even split is a balloon, KSM takes nothing."""

Act = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class TakeBackProbe:
    """Measures on guests that are up and served with all their memory."""

    fleet: RealFleet
    controller: ThreadController
    measure: Measure
    kernel: Kernel
    log: UndoLog
    schedule: Schedule
    sensor: BudgetSensor
    deadline_s: float
    give_s_max: float = 10.0
    huge_pages: bool = False  # behind these guests

    async def run(self, arm: TechniqueArm, contents: str) -> TakeBack:
        """Measure one technique; what it needs of the host is on.

        Raises:
            TechniqueError: the kernel refused.
        """
        big = {guest.name: self._big_bytes(guest.name) for guest in self.schedule.guests}
        victim = max(big, key=lambda name: big[name])
        others = {name: min(size, self._small_bytes(name)) for name, size in big.items()}
        for name, size in others.items():
            self.fleet.set_hot(name, size)
        self.fleet.order(victim, "keep", "cold" if contents == "cold" else "release")
        await self._fill(victim, self._small_bytes(victim) + TAKE_BYTES + 24 * MIB)
        before = self.measure.read().total_bytes
        if arm.policy == UNCONSTRAINED and arm.reports_free_pages:
            # Nobody orders anything: reporting begins as soon as something is free.
            taken, took_s = await self._watch(lambda: self._shrink(victim), before)
        else:
            if arm.name == LADDER:
                self._use_ladder()
            await self._shrink(victim)
            await asyncio.sleep(SETTLE_S)
            if not arm.reports_free_pages:  # else what was reported meanwhile counts as well
                before = self.measure.read().total_bytes
            taken, took_s = await self._watch(lambda: self._act(arm, victim, before), before)
        self.sensor.show_all()
        gave_s = await self._give_back(victim, self._small_bytes(victim) + TAKE_BYTES)
        keep = next(guest.keep for guest in self.schedule.guests if guest.name == victim)
        self.fleet.order(victim, "keep", keep)
        self.fleet.set_hot(victim, self._small_bytes(victim))
        return TakeBack(
            technique=arm.name,
            contents=contents,
            asked_bytes=TAKE_BYTES,
            taken_bytes=max(0, taken),
            took_s=took_s,
            gave_s=gave_s,
            huge_pages=self.huge_pages,
        )

    async def _act(self, arm: TechniqueArm, victim: str, before_bytes: int) -> None:
        """Order the memory; what takes long goes on while it is watched."""
        if arm.policy == ADAPTIVE:
            self._show_short_host(arm, before_bytes)
        elif arm.host & {Host.SWAP, Host.ZSWAP, Host.ZRAM}:
            await self._reclaim(victim, before_bytes - TAKE_BYTES)

    def _use_ladder(self) -> None:
        """The daemon's ladder, on a host that lacks nothing yet: its techniques are made ready."""
        self.sensor.show_all()
        self.controller.replace_params(ladder_params())

    def _show_short_host(self, arm: TechniqueArm, before_bytes: int) -> None:
        """The balancer sees a host that had nothing left of a reserve of 256 MiB just before."""
        self.sensor.show_budget(before_bytes, lambda: self.measure.read().total_bytes)
        params = ladder_params() if arm.name == LADDER else EngineParams()
        reserve = Amount(size_bytes=TAKE_BYTES)
        host = HostParams(
            accounting=Accounting.ELASTIC, reserve=reserve, burst_reserve=Amount(size_bytes=0)
        )
        self.controller.replace_params(replace(params, host=host))

    async def _reclaim(self, victim: str, goal_bytes: int) -> None:
        """Slice by slice, until the host really has it: what is compressed stays in part."""
        group = self.fleet.group_of(victim)
        assert group is not None, "the experiment has seen to it"
        reclaim = VmReclaim(self.kernel, self.log, group.path, is_v2=group.version == 2)
        give_up_s = time.monotonic() + self.deadline_s
        while time.monotonic() < give_up_s:
            missing = self.measure.read().total_bytes - goal_bytes
            if missing <= 0:
                return
            take = ReclaimState(take_bytes=min(SLICE_BYTES, max(MIB, missing)))
            await asyncio.to_thread(reclaim.apply, take)
            if reclaim.last is None or reclaim.last.taken_bytes < MIB:
                return

    async def _watch(self, act: Act, before: int) -> tuple[int, float | None]:
        """The most by which the measure fell, and when that was nearly all that was asked."""
        began_s = time.monotonic()
        doing = asyncio.ensure_future(act())
        most, took_s = 0, None
        while time.monotonic() - began_s < self.deadline_s and took_s is None:
            fell = before - self.measure.read().total_bytes
            most = max(most, fell)
            if most >= ARRIVED_RATIO * TAKE_BYTES:
                took_s = time.monotonic() - began_s
            await asyncio.sleep(LOOK_S)
        await doing
        return most, took_s

    async def _give_back(self, victim: str, hot_bytes: int) -> float | None:
        """Until the guest serves again with a hot set of that size; in whole seconds of reports.

        The first report after the order tells of a second that was over before.
        """
        self.controller.replace_params(arm_params(UNCONSTRAINED, self.schedule))
        while self.fleet.next_sample(victim) is not None:
            pass
        self.fleet.set_hot(victim, hot_bytes)
        began_s = time.monotonic()
        while time.monotonic() - began_s < self.give_s_max:
            sample = self.fleet.next_sample(victim)
            if sample is None:
                await asyncio.sleep(LOOK_S)
                continue
            is_well = sample.served >= WELL_RATIO * sample.offered
            if is_well and time.monotonic() - began_s >= 1.0:
                return time.monotonic() - began_s
        return None

    async def _fill(self, victim: str, hot_bytes: int) -> None:
        """Wait until the guest has touched that much: it picks pages at random, so it hurries."""
        self.fleet.order(victim, "rate", FILL_HURRY * self.schedule.rate)
        self.fleet.set_hot(victim, hot_bytes)
        await self._until_touched(victim, hot_bytes)
        self.fleet.order(victim, "rate", self.schedule.rate)

    async def _until_touched(self, victim: str, hot_bytes: int) -> None:
        give_up_s = time.monotonic() + FILL_S_MAX
        while time.monotonic() < give_up_s:
            sample = self.fleet.next_sample(victim)
            if sample is None:
                await asyncio.sleep(LOOK_S)
            elif sample.hot_bytes == hot_bytes and sample.heap_bytes >= FILL_RATIO * hot_bytes:
                return

    async def _shrink(self, victim: str) -> None:
        self.fleet.set_hot(victim, self._small_bytes(victim))

    def _big_bytes(self, guest: str) -> int:
        return max(phase.hot_bytes[guest] for phase in self.schedule.phases)

    def _small_bytes(self, guest: str) -> int:
        return min(phase.hot_bytes[guest] for phase in self.schedule.phases)


def contents_of(schedule: Schedule) -> tuple[str, ...]:
    """What lies in the guests of a schedule: both kinds, where both are there."""
    kinds: Mapping[str, str] = {"cold": "cold", "release": "free"}
    found = {kinds.get(guest.keep, "free") for guest in schedule.guests}
    return tuple(sorted(found, reverse=True))
