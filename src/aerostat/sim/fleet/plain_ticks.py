"""A plain world, as other simulators can express it too: sizes, speeds and one rule, no physics.

Sizes are whole MiB. In a tick, each host judges by what its guests hold: with a fifth of it free,
every guest may have what it uses and a fifth more; otherwise it gives up a twentieth, but nothing
that it uses. Balloons move so far in a tick; growth beyond what is free is cut in proportion. What
a guest still lacks is summed up. bench/simulator.py runs the same model elsewhere beside this one.
"""

from collections.abc import Sequence
from typing import NamedTuple

from aerostat.policy.columns import IntColumn


class PlainWorld(NamedTuple):
    """Hosts with so many guests each; a guest's figures beside those of its neighbours."""

    guests_a_host: int
    ticks_per_sample: int
    take_mib: int  # most a balloon takes in a tick
    give_mib: int
    supply_mib: IntColumn  # [host]
    min_mib: IntColumn  # [guest]
    max_mib: IntColumn
    demand_mib: Sequence[IntColumn]  # [sample][guest]
    actual_mib: IntColumn  # changed in place
    lacked_mib: IntColumn  # summed up, in MiB times ticks
    moves_mib: IntColumn  # room for this tick's


def run_ticks(world: PlainWorld) -> None:
    """Let all samples pass, host after host: hosts know nothing of each other."""
    for host in range(len(world.supply_mib)):
        first = host * world.guests_a_host
        for sample in range(len(world.demand_mib)):
            for _ in range(world.ticks_per_sample):
                tick(world, host, first, sample)


def tick(world: PlainWorld, host: int, first: int, sample: int) -> None:
    """Let one host live for a tick."""
    free = world.supply_mib[host]
    for i in range(first, first + world.guests_a_host):
        free -= world.actual_mib[i]
    is_short = 5 * free < world.supply_mib[host]
    growth = 0
    for i in range(first, first + world.guests_a_host):
        demand = world.demand_mib[sample][i]
        actual = world.actual_mib[i]
        wish = max(demand, actual - actual // 20) if is_short else demand + demand // 5
        wish = min(max(wish, world.min_mib[i]), world.max_mib[i])
        move = min(max(wish - actual, -world.take_mib), world.give_mib)
        world.moves_mib[i] = move
        growth += max(0, move)
    room = max(0, free)
    for i in range(first, first + world.guests_a_host):
        move = world.moves_mib[i]
        if growth > room and move > 0:
            move = move * room // growth
        actual = world.actual_mib[i] + move
        world.actual_mib[i] = actual
        world.lacked_mib[i] += max(0, world.demand_mib[sample][i] - actual)
