"""A seed's story: how big everything is, what goes wrong and when, and when it ends.

One seed draws all: sizes, loads, the pace, how often each kind of thing happens. In every seed some
kinds never happen, so that each kind is also seen without the noise of the others.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from aerostat.policy.columns import ABSENT
from aerostat.sim.chaos.columns import World, empty_world
from aerostat.sim.chaos.happen import Happening, Kind, happen
from aerostat.units import GIB, MIB

CHAOS_S = 3600.0
GUESTS_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A world before its first tick, and what happens in it, in order."""

    seed: int
    world: World
    happenings: tuple[Happening, ...]
    ticks: int
    never: frozenset[Kind]


TOGGLES: dict[Kind, Callable[[random.Random], int]] = {
    Kind.PAUSE: lambda _: 1,
    Kind.MIGRATE: lambda _: 1,
    Kind.FREEZE: lambda _: 1,
    Kind.SILENCE: lambda draw: draw.choice([1, 2]),
    Kind.CLAIM: lambda draw: draw.choice([0, 0, 10, 500, 900, 990]),
    Kind.STALL: lambda _: 1,
    Kind.SLOW: lambda draw: draw.choice([3, 30, 300]),
    Kind.UNREACHABLE: lambda _: 1,
    Kind.HIDE_ACTUAL: lambda _: 1,
    Kind.REFUSE: lambda _: 1,
    Kind.LOSE: lambda draw: draw.choice([1, 2]),
    Kind.DELAY: lambda draw: draw.choice([1, 2, 5]),
    Kind.KEEP_TOUCHING: lambda _: 1,
    Kind.CRY: lambda draw: draw.choice([2, 20]) * MIB,
    Kind.STANDING: lambda draw: draw.choice([1, 2]),
    Kind.BACK_UP: lambda _: 1,
    Kind.MISSES: lambda _: 1,
    Kind.HOST_UNREADABLE: lambda _: 1,
    Kind.STATIC: lambda _: 1,
    Kind.OBSERVE: lambda _: 1,
}
"""What begins and ends again; the value is the amount while it lasts."""
HOSTS = frozenset({
    Kind.HOST_OTHER, Kind.HOST_UNREADABLE, Kind.WALL_JUMP, Kind.BUDGET, Kind.STATIC,
    Kind.OBSERVE, Kind.RESERVE,
})  # fmt: skip
OFF = {Kind.CLAIM: ABSENT, Kind.SLOW: 1}
LOADS = (Kind.NEED, Kind.COLD, Kind.FILES)
"""These are no faults: they happen in every seed."""
DRAWN = tuple(Kind)
"""One kind more changes every seed's story."""


def story_of(seed: int, *, chaos_s: float = CHAOS_S) -> Story:
    """Draw everything from one seed."""
    draw = random.Random(seed)
    count = draw.randint(4, GUESTS_MAX)
    world = empty_world(count, draw.choice([0.5, 1.0, 1.0, 2.0]))
    _draw_guests(world, draw)
    _draw_host(world, draw)
    never = frozenset(kind for kind in DRAWN if kind not in LOADS and draw.random() < 0.5)
    ticks = int(chaos_s / world.tick_s)
    opening = [
        Happening(tick=0, kind=Kind.APPEAR, guest=i) for i in range(count) if draw.random() < 0.8
    ] or [Happening(tick=0, kind=Kind.APPEAR)]
    for happening in opening:
        happen(world, happening)
    happenings = _draw_happenings(world, draw, ticks, never)
    return Story(seed=seed, world=world, happenings=happenings, ticks=ticks, never=never)


def _draw_guests(world: World, draw: random.Random) -> None:
    guests = world.guests
    for i in range(len(guests.is_here)):
        max_bytes = draw.choice([256, 512, 512, 1024, 2048, 4096, 16384]) * MIB
        guests.max_bytes[i] = guests.ceiling_bytes[i] = max_bytes
        guests.min_bytes[i] = int(draw.choice([0.0, 0.1, 0.25, 0.25, 0.5]) * max_bytes)
        guests.weight[i] = draw.choice([100, 100, 100, 10, 200, 1000])
        guests.is_managed[i] = 1
        guests.has_balloon[i] = int(draw.random() < 0.95)
        guests.deflates_on_oom[i] = draw.choice([ABSENT, ABSENT, 1, 0])
        guests.has_agent[i] = int(draw.random() < 0.4)
        guests.need_bytes[i] = _need(max_bytes, draw)
        guests.cold_bytes[i] = int(draw.choice([0, 0, 0.3, 0.8]) * guests.need_bytes[i])
        guests.file_bytes[i] = int(draw.choice([0, 0.1, 1.0]) * max_bytes)
        guests.swap_size_bytes[i] = int(draw.choice([0, 0.5, 1, 1, 2]) * max_bytes)


def _need(max_bytes: int, draw: random.Random) -> int:
    ratio = min(1.05, draw.lognormvariate(-1.1, 0.7))
    return max(80 * MIB, int(ratio * max_bytes))


def _draw_host(world: World, draw: random.Random) -> None:
    host = world.host
    whole = sum(world.guests.max_bytes)
    total = max(2 * GIB, int(whole / draw.choice([0.8, 1.2, 1.5, 2.0, 3.0])))
    host.total_bytes[0] = total
    host.other_bytes[0] = int(draw.uniform(0.02, 0.15) * total)
    host.is_readable[0] = 1
    host.is_enforcing[0] = 1
    host.budget_bytes[0] = draw.choice([ABSENT, ABSENT, int(0.7 * total)])
    host.is_elastic[0] = int(draw.random() < 0.3)
    host.reserve_bytes[0] = int(draw.choice([0.05, 0.1, 0.1, 0.2]) * total)


def _draw_happenings(
    world: World, draw: random.Random, ticks: int, never: frozenset[Kind]
) -> tuple[Happening, ...]:
    kinds = [kind for kind in DRAWN if kind not in never]
    rates = [draw.lognormvariate(0, 1) * (4 if kind in LOADS else 1) for kind in kinds]
    every_s = draw.choice([3.0, 10.0, 30.0, 120.0])
    lasts_s = draw.choice([5.0, 20.0, 60.0, 300.0])
    drawn: list[Happening] = []
    at_s = 0.0
    while (at_s := at_s + draw.expovariate(1 / every_s)) < ticks * world.tick_s:
        tick = int(at_s / world.tick_s)
        kind = draw.choices(kinds, rates)[0]
        guest = 0 if kind in HOSTS else draw.randrange(len(world.guests.is_here))
        amount = _amount(world, kind, guest, draw)
        drawn.append(Happening(tick=tick, kind=kind, guest=guest, amount=amount))
        if kind in TOGGLES:
            until = tick + 1 + int(draw.expovariate(1 / lasts_s) / world.tick_s)
            drawn.append(Happening(tick=until, kind=kind, guest=guest, amount=OFF.get(kind, 0)))
    within = (happening for happening in drawn if happening.tick < ticks)
    return tuple(sorted(within, key=lambda happening: happening.tick))


def _amount(world: World, kind: Kind, guest: int, draw: random.Random) -> int:
    max_bytes, total = world.guests.max_bytes[guest], world.host.total_bytes[0]
    if kind in TOGGLES:
        return TOGGLES[kind](draw)
    drawers: dict[Kind, Callable[[], int]] = {
        Kind.NEED: lambda: _need(max_bytes, draw),
        Kind.COLD: lambda: int(draw.choice([0, 0.2, 0.8]) * world.guests.need_bytes[guest]),
        Kind.FILES: lambda: int(draw.uniform(0, 1) * max_bytes),
        Kind.FOREIGN: lambda: draw.choice([300, 600, 900, 1000]),
        Kind.PUSH: lambda: draw.choice([0, 1, 8 * MIB, 8 * MIB + 1, max_bytes // 2]),
        Kind.LET_GO: lambda: draw.choice([2, 8, 100]) * MIB,
        Kind.HOST_OTHER: lambda: int(draw.choice([0.03, 0.1, 0.3, 0.6, 0.9]) * total),
        Kind.WALL_JUMP: lambda: draw.choice([-86400, -60, -2, 2, 60, 86400]),
        Kind.MIN: lambda: int(draw.uniform(0, 0.6) * max_bytes),
        Kind.CEILING: lambda: int(draw.choice([0.5, 0.8, 1, 1]) * max_bytes),
        Kind.WEIGHT: lambda: draw.choice([1, 10, 100, 100, 1000]),
        Kind.UNMANAGED: lambda: draw.choice([0, 1]),
        Kind.BUDGET: lambda: draw.choice([ABSENT, ABSENT, int(draw.uniform(0.3, 0.9) * total)]),
        Kind.RESERVE: lambda: int(draw.uniform(0.02, 0.2) * total),
    }
    return drawers[kind]() if kind in drawers else 1
