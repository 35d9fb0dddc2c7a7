"""A daemon's rounds without a daemon: the real loop on simulated guests, on virtual time."""

import asyncio
import random
from dataclasses import dataclass, field

from aerostat.control.loop import Loop
from aerostat.engine.params import EngineParams, HostParams
from aerostat.model.modes import Mode
from aerostat.ports.journal import RoundRecord
from aerostat.sim.constants import HostPhysics
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.physics import GuestBuild
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import GIB, MIB

TIGHT = EngineParams(host=HostParams(budget_bytes=1200 * MIB))


@dataclass
class Heard:
    """A journal that keeps everything."""

    rounds: list[RoundRecord] = field(default_factory=list)

    def record(self, record: RoundRecord) -> None:
        self.rounds.append(record)


def simulated_rounds(
    duration_s: float,
    *,
    params: EngineParams = TIGHT,
    guests: int = 4,
    seed: int = 1,
    mode: Mode = Mode.ENFORCE,
    is_eventful: bool = True,
) -> list[RoundRecord]:
    """Guests whose hot sets change, one that is reset, one that comes late and goes."""
    return run_simulated(_run(duration_s, params, guests, seed, mode, is_eventful))


async def _run(
    duration_s: float, params: EngineParams, guests: int, seed: int, mode: Mode, eventful: bool
) -> list[RoundRecord]:
    heard = Heard()
    build = GuestBuild(max_bytes=512 * MIB)
    names = [f"g{number}" for number in range(guests)]
    world = World(
        [GuestSpec(name=name, build=build, load=Load(hot_bytes=60 * MIB)) for name in names],
        host=HostPhysics(total_bytes=guests * GIB),
        seed=seed,
        step_s=0.2,  # coarse: what is looked at here is the daemon, not the guests
    )
    loop = Loop(
        driver=SimulatedDriver(world),
        sensor=SimulatedSensor(world.host),
        clock=SimClock(asyncio.get_running_loop()),
        params=params,
        mode=mode,
        journal=heard,
    )
    async with asyncio.TaskGroup() as tasks:
        living = tasks.create_task(world.run())
        balancing = tasks.create_task(loop.run())
        draw = random.Random(seed)
        for step in range(round(duration_s / 20)):
            await asyncio.sleep(20)
            name = draw.choice(names)
            world.guest(name).set_hot(draw.randrange(20, 330) * MIB)
            if eventful and step == 2:
                world.reset(names[0])
            if eventful and step == 3:
                world.add(GuestSpec(name="late", build=build, load=Load(hot_bytes=40 * MIB)))
            if eventful and step == 8:
                world.remove("late")
        loop.request_stop()
        await balancing
        living.cancel()
    return heard.rounds
