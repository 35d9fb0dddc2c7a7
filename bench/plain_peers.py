"""The plain world of ``aerostat.sim.fleet.plain_ticks`` as others would write it: SimPy, numpy."""

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from aerostat.sim.fleet.plain_ticks import PlainWorld


def with_numpy(world: PlainWorld) -> None:
    """All guests of all hosts at once, tick by tick."""
    shape = (len(world.supply_mib), world.guests_a_host)
    supply = np.asarray(world.supply_mib)
    low, high = (np.asarray(c).reshape(shape) for c in (world.min_mib, world.max_mib))
    actual, lacked = (np.asarray(c).reshape(shape) for c in (world.actual_mib, world.lacked_mib))
    for row in world.demand_mib:
        demand = np.asarray(row).reshape(shape)
        comfort = np.clip(demand + demand // 5, low, high)
        for _ in range(world.ticks_per_sample):
            free = supply - actual.sum(axis=1)
            short = (5 * free < supply)[:, None]
            tight = np.clip(np.maximum(demand, actual - actual // 20), low, high)
            move = np.where(short, tight, comfort) - actual
            np.clip(move, -world.take_mib, world.give_mib, out=move)
            growth = np.maximum(move, 0).sum(axis=1)
            room = np.maximum(free, 0)
            cut = (growth > room)[:, None] & (move > 0)
            if cut.any():
                share = move * room[:, None] // np.maximum(growth, 1)[:, None]
                move = np.where(cut, share, move)
            actual += move
            lacked += np.maximum(demand - actual, 0)


def with_simpy(world: PlainWorld) -> None:
    """A process for each host, which decides, and one for each guest, which moves and lacks."""
    env = simpy.Environment()
    for host in range(len(world.supply_mib)):
        first = host * world.guests_a_host
        orders: list[int] = [0] * world.guests_a_host
        env.process(_host(env, world, host, orders))
        for number in range(world.guests_a_host):
            env.process(_guest(env, world, first + number, number, orders))
    env.run(until=len(world.demand_mib) * world.ticks_per_sample)


def _host(
    env: simpy.Environment, world: PlainWorld, host: int, orders: list[int]
) -> Generator[Any, Any, None]:
    first = host * world.guests_a_host
    own = range(first, first + world.guests_a_host)
    supply = int(world.supply_mib[host])
    while True:
        demand = world.demand_mib[int(env.now) // world.ticks_per_sample]
        free = supply - sum(int(world.actual_mib[i]) for i in own)
        for number, i in enumerate(own):
            actual, wanted = int(world.actual_mib[i]), int(demand[i])
            wish = max(wanted, actual - actual // 20)
            if 5 * free >= supply:
                wish = wanted + wanted // 5
            wish = min(max(wish, int(world.min_mib[i])), int(world.max_mib[i]))
            orders[number] = min(max(wish - actual, -world.take_mib), world.give_mib)
        growth, room = sum(max(0, order) for order in orders), max(0, free)
        if growth > room:
            orders[:] = [o * room // growth if o > 0 else o for o in orders]
        yield env.timeout(1)


def _guest(
    env: simpy.Environment, world: PlainWorld, i: int, number: int, orders: list[int]
) -> Generator[Any, Any, None]:
    while True:
        world.actual_mib[i] += orders[number]
        wanted = int(world.demand_mib[int(env.now) // world.ticks_per_sample][i])
        world.lacked_mib[i] += max(0, wanted - int(world.actual_mib[i]))
        yield env.timeout(1)
