"""Plays turns of load on Redis in real guests: in each turn another guest holds much data."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from aerostat.lab.application.found import Application, ApplicationArm, Chunk
from aerostat.lab.application.port import ApplicationPort
from aerostat.lab.experiment.controller import ThreadController
from aerostat.lab.experiment.policies import UNCONSTRAINED, arm_params
from aerostat.lab.experiment.real_fleet import RealFleet
from aerostat.lab.foreign_load import FOREIGN_CORES_MAX, CpuUse, foreign_cores, read_cpu_use
from aerostat.lab.image.application import with_redis
from aerostat.lab.schedule import GuestPlan, PhasePlan, Schedule
from aerostat.units import MIB

IDLE_HOT_BYTES = 1 * MIB
"""Of the lab's own workload, which only reports here."""
SETTLE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPlan:
    """What runs. Keys hold 1 KiB each; Redis needs about a fifth more than that."""

    policies: tuple[str, ...]
    repeats: int = 1
    seed: int = 1
    guests: tuple[str, ...] = ("ada", "bob", "cleo")
    ram_bytes: int = 384 * MIB
    budget_bytes: int = 720 * MIB
    big_keys: int = 150_000
    small_keys: int = 10_000
    turns: int = 2
    turn_s: float = 20.0

    def schedule(self) -> Schedule:
        """Guests, budget and an own workload that does next to nothing, as the lab boots them."""
        hot = dict.fromkeys(self.guests, IDLE_HOT_BYTES)
        return Schedule(
            name="redis",
            seed=self.seed,
            rate=1,
            slo_s=1.0,
            budget_bytes=self.budget_bytes,
            compressible_percent=0,
            identical_percent=0,
            warm_up_s=0.0,
            settle_s=0.0,
            guests=tuple(
                GuestPlan(
                    name=name,
                    ram_bytes=self.ram_bytes,
                    keep="release",
                    swap="vda",
                    swap_bytes=512 * MIB,
                )
                for name in self.guests
            ),
            phases=(PhasePlan(duration_s=self.turn_s, hot_bytes=hot),),
        )

    def order(self) -> tuple[tuple[str, int], ...]:
        """The reference first, then every policy once a repeat in an order of its own."""
        draw = random.Random(self.seed)
        arms = [(UNCONSTRAINED, 1)]
        for repeat in range(1, self.repeats + 1):
            turn = list(self.policies)
            draw.shuffle(turn)
            arms += [(policy, repeat) for policy in turn]
        return tuple(arms)


async def compare_on_redis(
    plan: ApplicationPlan, on_progress: Callable[[str], None]
) -> Application:
    """Run every arm on guests booted once.

    Raises:
        AerostatError: guests, or Redis in them, cannot be had here.
    """
    started_utc = datetime.now(UTC).isoformat(timespec="seconds")
    schedule = plan.schedule()
    async with AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(
            RealFleet(schedule, on_progress, variant=with_redis)
        )
        ports = [ApplicationPort(name, fleet.application_of(name)) for name in plan.guests]
        for port in ports:
            stack.callback(port.close)
        await asyncio.gather(*(port.open() for port in ports))
        controller = ThreadController(fleet, arm_params(UNCONSTRAINED, schedule))
        await controller.start()
        stack.push_async_callback(controller.stop)
        arms = []
        for policy, repeat in plan.order():
            on_progress(f"{policy}, repeat {repeat}")
            arms.append(await _Arm(plan, schedule, fleet, controller, ports).play(policy, repeat))
        return Application(
            started_utc=started_utc,
            accelerator=fleet.accelerator,
            machine=fleet.machine,
            world={
                "application": "redis",
                "load": "redis-benchmark -c 4 -t get,set, one after the other",
                "budget_bytes": plan.budget_bytes,
                "ram_bytes": plan.ram_bytes,
                "big_keys": plan.big_keys,
                "small_keys": plan.small_keys,
                "turns": plan.turns,
                "turn_s": plan.turn_s,
                "seed": plan.seed,
            },
            arms=tuple(arms),
            notes=tuple(fleet.notes),
        )


@dataclass(slots=True)
class _Arm:
    plan: ApplicationPlan
    schedule: Schedule
    fleet: RealFleet
    controller: ThreadController
    ports: Sequence[ApplicationPort]

    async def play(self, policy: str, repeat: int) -> ApplicationArm:
        """Everybody begins small and with all memory; then the arm's rule holds for all turns."""
        self.controller.replace_params(arm_params(UNCONSTRAINED, self.schedule))
        await asyncio.gather(*(port.fill(self.plan.small_keys) for port in self.ports))
        self.controller.replace_params(arm_params(policy, self.schedule))
        await asyncio.sleep(SETTLE_S)
        cpu, began_s, swapped = self._cpu(), time.monotonic(), self._swapped_in_bytes()
        chunks: dict[str, list[Chunk]] = {port.guest: [] for port in self.ports}
        fill_s = []
        for turn in range(self.plan.turns):
            fill_s.append(await self._fill(turn))
            loads = (port.load(self._keys(i, turn), self.plan.turn_s, turn)
                     for i, port in enumerate(self.ports))  # fmt: skip
            for port, done in zip(self.ports, await asyncio.gather(*loads), strict=True):
                chunks[port.guest] += done
        foreign = foreign_cores(cpu, self._cpu(), time.monotonic() - began_s)
        slow = sorted(chunk.p99_s for done in chunks.values() for chunk in done)
        return ApplicationArm(
            policy=policy,
            repeat=repeat,
            budget_bytes=None if policy == UNCONSTRAINED else self.plan.budget_bytes,
            requests=sum(chunk.requests for done in chunks.values() for chunk in done),
            seconds=self.plan.turns * self.plan.turn_s,
            p99_s=slow[int(0.99 * (len(slow) - 1))] if slow else None,
            fill_s=tuple(fill_s),
            guest_swap_in_bytes=self._swapped_in_bytes() - swapped,
            guests={name: sum(c.requests for c in done) for name, done in chunks.items()},
            foreign_cores=foreign,
            why_invalid=self._why_invalid(foreign),
        )

    async def _fill(self, turn: int) -> float:
        """Who was big becomes small and the next one big; returns how long that took."""
        began_s = time.monotonic()
        changed = [
            (port, self._keys(i, turn))
            for i, port in enumerate(self.ports)
            if turn == 0 or self._keys(i, turn) != self._keys(i, turn - 1)
        ]
        await asyncio.gather(*(port.fill(keys) for port, keys in changed))
        return time.monotonic() - began_s

    def _keys(self, guest: int, turn: int) -> int:
        is_big = turn % len(self.ports) == guest
        return self.plan.big_keys if is_big else self.plan.small_keys

    def _cpu(self) -> CpuUse:
        return read_cpu_use(self.fleet.cpu_s(), 0.0)

    def _swapped_in_bytes(self) -> int:
        total = 0
        for guest in self.plan.guests:
            latest = self.fleet.latest(guest)
            total += 0 if latest is None else latest.swap_in_bytes
        return total

    def _why_invalid(self, foreign: float) -> str | None:
        troubles = [f"{g}: {t}" for g in self.plan.guests if (t := self.fleet.trouble(g))]
        if troubles:
            return "; ".join(troubles)
        busy = f"others kept {foreign:.2f} cores busy meanwhile"
        return busy if foreign > FOREIGN_CORES_MAX else None
