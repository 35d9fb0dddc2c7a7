"""After the chaos: faults off, loads as they are, and a fresh start of the same world beside it.

What a run must come to, half an hour after the last fault:

- Where everybody's need fits the supply, everybody has its need, as on the fresh start.
- Where it does not, all together lack at most ``LACK_RATIO`` of the supply more than they do on the
  fresh start: who lacks it is history, because nothing is taken from a guest in distress. And what
  lies idle in guests that have never swapped: nobody can know that they could.
- Nobody lacks what its fair share would give it while so much lies idle in others.
- Next to nothing moves to and fro any more. Where guests stay in distress for good, calm ones are
  asked now and then, at most once in a back-off of 600 s, for what they may not be using.

Sizes above need are history too: surplus is evened out only beyond 8 % of max. A guest may hold
``SHORT_RATIO`` of its max less than it needs: that is within its headroom.
"""

from aerostat.engine.columns import RUN_RUNNING, STANDING_NONE
from aerostat.policy.columns import ABSENT
from aerostat.policy.water import fill
from aerostat.sim.chaos.check import violate
from aerostat.sim.chaos.columns import World, empty_world
from aerostat.sim.chaos.happen import Happening, Kind, happen
from aerostat.sim.chaos.physics import FREE_BYTES_MIN, OVERHEAD_BYTES
from aerostat.sim.chaos.rules import NOT_CONVERGED, RESTLESS, STARVED
from aerostat.sim.chaos.show import available_bytes
from aerostat.units import GIB, MIB

SETTLE_S = 1800.0
"""Quarantines and back-off last 600 s at most; after that there is time for a few retries."""
WATCHED_S = 600.0
"""At the end of it, how far balloons still move is measured."""
SHORT_RATIO = 0.05
SHORT_BYTES = 32 * MIB
OWED_BYTES = 16 * MIB
FITTING_RATIO = 0.85
LACK_RATIO = 0.12
BURST_RATIO = 0.05
TO_AND_FRO_BYTES_PER_HOUR = 6 * GIB
TO_AND_FRO_RATIO = 2.0
"""Of its limit: one release and what was taken before and after it, once in a back-off."""


def faults_off(world: World) -> None:
    """Everything works again. Limits and the host's own programs stay as they are.

    So do loads, but for those that no size of their guest could serve: they would be killed and
    start again for ever, and a world that never rests cannot be seen to come to rest.
    """
    calm = empty_world(len(world.guests.is_here), world.tick_s)
    for i in range(len(world.guests.is_here)):
        for name in calm.faults._fields:
            getattr(world.faults, name)[i] = getattr(calm.faults, name)[i]
        world.guests.is_managed[i] = 1
        world.guests.standing[i] = STANDING_NONE
        world.guests.is_backing_up[i] = 0
        world.guests.is_missing[i] = 0
        most = int(FITTING_RATIO * world.guests.ceiling_bytes[i])
        world.guests.need_bytes[i] = min(int(world.guests.need_bytes[i]), most)
        world.guests.cold_bytes[i] = min(int(world.guests.cold_bytes[i]), most // 2)


def calming(world: World) -> tuple[Happening, ...]:
    """What has to happen for the faults that guests and the engine hear of to be over."""
    resumed = [
        Happening(tick=0, kind=Kind.PAUSE, guest=i, amount=0)
        for i in range(len(world.guests.is_here))
        if world.guests.is_here[i] == 1 and world.guests.run[i] != RUN_RUNNING
    ]
    kinds = (Kind.HOST_UNREADABLE, Kind.STATIC, Kind.OBSERVE)
    return (*resumed, *(Happening(tick=0, kind=kind, amount=0) for kind in kinds))


def fresh_start(world: World) -> World:
    """The same guests with the same needs on the same host, booted just now, the engine too."""
    count = len(world.guests.is_here)
    fresh = empty_world(count, float(world.tick_s))
    for name in _KEPT:
        for i in range(count):
            getattr(fresh.guests, name)[i] = int(getattr(world.guests, name)[i])
    for name in fresh.host._fields:
        value = getattr(world.host, name)[0]
        getattr(fresh.host, name)[0] = float(value) if name == "wall_jump_s" else int(value)
    fresh.host.state[0] = 0
    for i in range(count):
        if world.guests.is_here[i] == 1:
            happen(fresh, Happening(tick=0, kind=Kind.APPEAR, guest=i))
    _split_evenly(fresh)
    return fresh


def _split_evenly(world: World) -> None:
    """Guests start with what the host has for them, shared by weight: it does not swap."""
    guests, host = world.guests, world.host
    movable = _movable(world)
    count = len(guests.is_here)
    here = sum(int(is_here) for is_here in guests.is_here)
    room = int(host.total_bytes[0]) - int(host.other_bytes[0]) - int(host.reserve_bytes[0])
    room -= here * OVERHEAD_BYTES
    if host.budget_bytes[0] != ABSENT:
        room = min(room, int(host.budget_bytes[0]))
    held = [int(guests.actual_bytes[i]) if guests.is_here[i] == 1 else 0 for i in range(count)]
    caps = list(held)
    for i in movable:
        held[i], caps[i] = least_bytes(world, i), int(guests.ceiling_bytes[i])
    fill(held, caps, [int(w) for w in guests.weight], 0, count, room)
    for i in movable:
        guests.actual_bytes[i] = guests.target_bytes[i] = held[i]


_KEPT = (
    "has_balloon", "has_agent", "max_bytes", "min_bytes", "ceiling_bytes", "weight", "is_managed",
    "need_bytes", "cold_bytes", "file_bytes", "swap_size_bytes", "deflates_on_oom",
)  # fmt: skip


def judge_rest(world: World, fresh: World, moved_bytes: list[int], tick: int) -> None:
    """Compare a world that has come to rest with one that started afresh.

    Args:
        world: where the chaos was.
        fresh: the same world without a past.
        moved_bytes: to and fro in the last ``WATCHED_S``; empty where a guest was killed meanwhile:
            a workload that ends and starts again is no rest.
        tick: now.
    """
    lacking = lacking_bytes(world)
    supply = int(world.host.supply_bytes[0])
    if mins_bytes(world) > supply - int(BURST_RATIO * supply):
        return  # no promise can be kept here: the operator has promised more than there is
    # What a fresh start has only because its host swaps is nothing to be measured by, nor what its
    # guests hold beyond the supply: given while they had not touched much yet, on an elastic
    # account, and kept since, because nothing is taken from guests in distress.
    afresh = sum(lacking_bytes(fresh)) + max(0, -available_bytes(fresh))
    afresh += max(0, held_by_all_bytes(fresh) - supply)
    allowed = afresh
    if wanted_bytes(world) > supply:
        unseen = unseen_idle_bytes(world) - unseen_idle_bytes(fresh)
        allowed += int(LACK_RATIO * supply) + max(0, unseen)
    if sum(lacking) > allowed:
        violate(world, tick, ABSENT, NOT_CONVERGED, sum(lacking), allowed)
    owed, idle = owed_bytes(world), idle_bytes(world)
    for i in range(len(lacking)):
        if min(owed[i], lacking[i]) > OWED_BYTES and sum(idle) - idle[i] > 2 * owed[i]:
            violate(world, tick, i, STARVED, owed[i], sum(idle) - idle[i])
        share = int(TO_AND_FRO_RATIO * world.guests.ceiling_bytes[i])
        most = max(share, int(TO_AND_FRO_BYTES_PER_HOUR * WATCHED_S / 3600.0))
        if moved_bytes and moved_bytes[i] > most:
            violate(world, tick, i, RESTLESS, moved_bytes[i], most)


def _movable(world: World) -> list[int]:
    """The guests that can be moved."""
    guests = world.guests
    every = range(len(guests.is_here))
    return [i for i in every if guests.is_here[i] == 1 and guests.has_balloon[i] == 1]


def lacking_bytes(world: World) -> list[int]:
    """What each guest lacks of its need, beyond the tolerance."""
    lacking = [0] * len(world.guests.is_here)
    for i in _movable(world):
        allowed = max(SHORT_BYTES, int(SHORT_RATIO * world.guests.max_bytes[i]))
        held = int(world.guests.actual_bytes[i])
        lacking[i] = max(0, need_bytes(world, i) - held - allowed)
    return lacking


def owed_bytes(world: World) -> list[int]:
    """What each guest lacks of its fair share, as far as it needs it, beyond the tolerance."""
    owed, fair = [0] * len(world.guests.is_here), fair_bytes(world)
    for i in _movable(world):
        allowed = max(SHORT_BYTES, int(SHORT_RATIO * world.guests.max_bytes[i]))
        held = int(world.guests.actual_bytes[i])
        owed[i] = max(0, min(need_bytes(world, i), fair[i]) - held - allowed)
    return owed


def idle_bytes(world: World) -> list[int]:
    """What lies idle in each guest: neither used, nor its headroom, nor promised to it."""
    idle = [0] * len(world.guests.is_here)
    for i in _movable(world):
        headroom = max(48 * MIB, int(0.1 * world.guests.max_bytes[i]))
        used = int(world.guests.touched_bytes[i]) - int(world.guests.swapped_bytes[i]) + headroom
        kept = max(least_bytes(world, i), used)
        idle[i] = max(0, int(world.guests.actual_bytes[i]) - kept)
    return idle


def unseen_idle_bytes(world: World) -> int:
    """What guests that have never swapped hold of what they do not use.

    Such a guest may have no swap, and its OOM killer would pay: it is not asked below what it has
    touched. On a fresh start it may have swapped while it booted with less, and shown that it can.
    """
    guests, unseen = world.guests, 0
    for i in _movable(world):
        if guests.swap_out_bytes[i] == 0:
            unseen += min(int(guests.cold_bytes[i]), int(guests.touched_bytes[i]))
    return unseen


def least_bytes(world: World, i: int) -> int:
    """Below this it is never taken: its min, and what a guest's system lives in."""
    guests = world.guests
    floor = max(int(guests.min_bytes[i]), 128 * MIB)
    return min(floor, int(guests.ceiling_bytes[i]))


def mins_bytes(world: World) -> int:
    """What is promised to all, and what cannot be had from those that cannot be moved."""
    guests = world.guests
    movable = _movable(world)
    return sum(
        least_bytes(world, i) if i in movable else int(guests.actual_bytes[i])
        for i in range(len(guests.is_here))
        if guests.is_here[i] == 1
    )


def held_by_all_bytes(world: World) -> int:
    """What all guests hold together."""
    guests = world.guests
    every = range(len(guests.is_here))
    return sum(int(guests.actual_bytes[i]) for i in every if guests.is_here[i] == 1)


def wanted_bytes(world: World) -> int:
    """What it would take to give everybody its need and its headroom."""
    wanted = mins_bytes(world)
    for i in _movable(world):
        headroom = max(48 * MIB, int(0.1 * world.guests.max_bytes[i]))
        cold = int(world.guests.cold_bytes[i])
        wanted += max(0, need_bytes(world, i) + cold + headroom - least_bytes(world, i))
    return wanted + int(BURST_RATIO * world.host.supply_bytes[0])


def need_bytes(world: World, i: int) -> int:
    """What it must hold not to suffer: all it touches but the cold part, if that can be swapped."""
    guests = world.guests
    cold = min(int(guests.cold_bytes[i]), int(guests.swapped_bytes[i]))
    return min(int(guests.ceiling_bytes[i]), int(guests.need_bytes[i]) - cold + FREE_BYTES_MIN)


def fair_bytes(world: World) -> list[int]:
    """The weighted max-min fair shares of what the host's guests may hold, by what they need."""
    guests = world.guests
    count, movable = len(guests.is_here), _movable(world)
    supply = int(world.host.supply_bytes[0])
    held, caps = [0] * count, [0] * count
    for i in range(count):
        if guests.is_here[i] == 1:
            held[i] = least_bytes(world, i) if i in movable else int(guests.actual_bytes[i])
            caps[i] = max(held[i], need_bytes(world, i)) if i in movable else held[i]
    fill(held, caps, [int(w) for w in guests.weight], 0, count, int((1 - BURST_RATIO) * supply))
    return held
