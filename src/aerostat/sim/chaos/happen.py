"""What can happen in a chaos world: each kind changes the truth, and some the engine hears of."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aerostat.engine.columns import RUN_MIGRATING, RUN_PAUSED, RUN_RUNNING
from aerostat.model.events import (
    Event,
    LifecycleChanged,
    LifecycleKind,
    MemoryReserved,
    PressurePushed,
    PressureTrigger,
)
from aerostat.model.guest import GuestId
from aerostat.policy.columns import ABSENT
from aerostat.sim.chaos.columns import START_S, World, empty_world
from aerostat.sim.chaos.physics import LEAST_BYTES


class Kind(StrEnum):
    """What happens. The amount's meaning is in brackets; 1 and 0 are on and off."""

    APPEAR = "appear"
    LEAVE = "leave"
    NEED = "need"  # [bytes] its working set jumps
    COLD = "cold"  # [bytes] so much of it is left alone
    FILES = "files"  # [bytes] that its cache would hold
    RESET = "reset"
    PAUSE = "pause"
    MIGRATE = "migrate"
    FREEZE = "freeze"  # its statistics stay as they are
    SILENCE = "silence"  # [1 no statistics, 2 not what is available]
    CLAIM = "claim"  # [thousandths of actual that it says are available, or -1]
    CRY = "cry"  # [bytes per second that it claims to swap]
    COUNTERS_BACK = "counters_back"
    STALL = "stall"
    SLOW = "slow"  # [so many times as long]
    LET_GO = "let_go"  # [bytes] its balloon deflates by itself
    UNREACHABLE = "unreachable"
    HIDE_ACTUAL = "hide_actual"
    REFUSE = "refuse"
    LOSE = "lose"  # [1 the answer to a target, 2 the target too]
    DELAY = "delay"  # [ticks until a target is answered]
    KEEP_TOUCHING = "keep_touching"
    HOST_OTHER = "host_other"  # [bytes that the host's own programs hold]
    HOST_UNREADABLE = "host_unreadable"
    WALL_JUMP = "wall_jump"  # [seconds]
    MIN = "min"  # [bytes]
    CEILING = "ceiling"  # [bytes]
    WEIGHT = "weight"
    UNMANAGED = "unmanaged"
    BUDGET = "budget"  # [bytes, or -1]
    STATIC = "static"  # the other policy
    OBSERVE = "observe"  # decide, but do nothing
    RESERVE = "reserve"  # [bytes] for a VM to come
    POWER_BUTTON = "power_button"  # pressed; the guest runs on
    STANDING = "standing"  # [1 held, 2 released] an operator's order
    BACK_UP = "back_up"  # its disks are being copied
    MISSES = "misses"  # it reads again what its cache does not hold
    FOREIGN = "foreign"  # [thousandths of max] somebody else sets its target
    PUSH = "push"  # [bytes free, as it says] its agent says that it waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happens before a tick's round. ``guest``: its number; 0 where the host's."""

    tick: int
    kind: Kind
    guest: int = 0
    amount: int = 1


RESERVED_S = 60.0


def happen(world: World, happening: Happening) -> tuple[Event, ...]:
    """Let it happen; returns what the engine hears of it."""
    i, amount, guests = happening.guest, happening.amount, world.guests
    kind = happening.kind
    if kind in _HOST:
        return _to_host(world, kind, i, amount)
    if kind is Kind.APPEAR:
        return _appear(world, i)
    if guests.is_here[i] == 0:
        return ()
    if kind is Kind.POWER_BUTTON:
        world.watch.asked_s[i] = START_S + happening.tick * world.tick_s
        return (LifecycleChanged(guest=id_of(i), kind=LifecycleKind.SHUTDOWN_ASKED),)
    if kind in _FAULTS:
        getattr(world.faults, _FAULTS[kind])[i] = amount
        return ()
    return _to_guest(world, kind, i, amount)


_FAULTS = {
    Kind.FREEZE: "is_frozen",
    Kind.SILENCE: "is_silent",
    Kind.CLAIM: "claims",
    Kind.CRY: "cries",
    Kind.STALL: "is_stalled",
    Kind.SLOW: "slowness",
    Kind.UNREACHABLE: "is_unreachable",
    Kind.HIDE_ACTUAL: "hides_actual",
    Kind.REFUSE: "refuses",
    Kind.LOSE: "loses",
    Kind.DELAY: "delay_ticks",
    Kind.KEEP_TOUCHING: "keeps_touching",
}
_HOST = {
    Kind.HOST_OTHER: "other_bytes",
    Kind.HOST_UNREADABLE: "is_readable",
    Kind.WALL_JUMP: "wall_jump_s",
    Kind.BUDGET: "budget_bytes",
    Kind.STATIC: "is_static",
    Kind.OBSERVE: "is_enforcing",
    Kind.RESERVE: "",
}
_NUMBERS = {
    Kind.NEED: "need_bytes",
    Kind.COLD: "cold_bytes",
    Kind.FILES: "file_bytes",
    Kind.MIN: "min_bytes",
    Kind.CEILING: "ceiling_bytes",
    Kind.WEIGHT: "weight",
    Kind.STANDING: "standing",
    Kind.BACK_UP: "is_backing_up",
    Kind.MISSES: "is_missing",
}


def id_of(number: int) -> GuestId:
    """The id of guest ``number``, which is also its name."""
    return GuestId(f"g{number:02}")


def _to_host(world: World, kind: Kind, i: int, amount: int) -> tuple[Event, ...]:
    host = world.host
    if kind is Kind.RESERVE:
        owner = GuestId(f"to-come-{i:02}")
        return (MemoryReserved(guest=owner, size_bytes=amount, for_s=RESERVED_S),)
    if kind in (Kind.HOST_UNREADABLE, Kind.OBSERVE):
        getattr(host, _HOST[kind])[0] = 1 - amount
    elif kind is Kind.WALL_JUMP:
        host.wall_jump_s[0] += float(amount)
    else:
        getattr(host, _HOST[kind])[0] = amount
    return ()


def _appear(world: World, i: int) -> tuple[Event, ...]:
    guests = world.guests
    if guests.is_here[i] == 1:
        return ()
    _boot(world, i)
    guests.is_here[i] = 1
    guests.run[i] = RUN_RUNNING
    guests.target_bytes[i] = guests.actual_bytes[i] = guests.max_bytes[i]
    return (LifecycleChanged(guest=id_of(i), kind=LifecycleKind.APPEARED),)


def _boot(world: World, i: int) -> None:
    """A fresh kernel: nothing touched, counters at zero, no statistics, no fault."""
    guests = world.guests
    guests.touched_bytes[i] = min(LEAST_BYTES, guests.need_bytes[i])
    for name in _COUNTED:
        getattr(guests, name)[i] = 0
    guests.pressure_s[i] = 0.0
    guests.sample_s[i] = -1.0
    blank = empty_world(1, world.tick_s)
    for table, fresh in ((world.watch, blank.watch), (world.faults, blank.faults)):
        for name in fresh._fields:
            getattr(table, name)[i] = getattr(fresh, name)[0]


_COUNTED = (
    "swapped_bytes", "cache_bytes", "backed_bytes", "has_yielded", "swap_in_bytes",
    "swap_out_bytes", "major_faults", "oom_kills", "refaults", "disk_read_bytes",
)  # fmt: skip


def _leave(world: World, i: int) -> tuple[Event, ...]:
    world.guests.is_here[i] = 0
    world.commands.is_under_way[i] = 0
    world.commands.known_bytes[i] = ABSENT
    world.watch.last_actual_bytes[i] = ABSENT
    return (LifecycleChanged(guest=id_of(i), kind=LifecycleKind.DISAPPEARED),)


def _reset(world: World, i: int) -> tuple[Event, ...]:
    """The balloon starts empty, and the old target still stands."""
    _boot(world, i)
    world.guests.run[i] = RUN_RUNNING
    world.guests.actual_bytes[i] = world.guests.max_bytes[i]
    return (LifecycleChanged(guest=id_of(i), kind=LifecycleKind.RESET),)


def _pause(world: World, i: int, amount: int) -> tuple[Event, ...]:
    world.guests.run[i] = RUN_PAUSED if amount == 1 else RUN_RUNNING
    kind = LifecycleKind.PAUSED if amount == 1 else LifecycleKind.RESUMED
    return (LifecycleChanged(guest=id_of(i), kind=kind),)


def _to_guest(world: World, kind: Kind, i: int, amount: int) -> tuple[Event, ...]:
    guests = world.guests
    if kind in _NUMBERS:
        getattr(guests, _NUMBERS[kind])[i] = amount
    elif kind is Kind.UNMANAGED:
        guests.is_managed[i] = 1 - amount
    elif kind is Kind.MIGRATE:
        guests.run[i] = RUN_MIGRATING if amount == 1 else RUN_RUNNING
    elif kind is Kind.FOREIGN:
        guests.target_bytes[i] = guests.max_bytes[i] * amount // 1000
        guests.has_yielded[i] = 0
        world.watch.stranger_s[i] = guests.sample_s[i]
    elif kind is Kind.PUSH:
        return _push(i, amount) if guests.has_agent[i] == 1 else ()
    elif kind is Kind.LET_GO and guests.deflates_on_oom[i] != 0:
        room = guests.max_bytes[i] - guests.actual_bytes[i]
        guests.actual_bytes[i] += min(amount, room)
        guests.has_yielded[i] = 1
    elif kind is Kind.COUNTERS_BACK:
        for name in ("swap_in_bytes", "swap_out_bytes", "major_faults"):
            getattr(guests, name)[i] = 0
    return _LIFE[kind](world, i, amount) if kind in _LIFE else ()


def _push(i: int, free_bytes: int) -> tuple[Event, ...]:
    trigger = PressureTrigger.FULL if free_bytes % 2 == 1 else PressureTrigger.SOME
    pushed = PressurePushed(guest=id_of(i), trigger=trigger, free_bytes=free_bytes, is_first=True)
    return (pushed,)


_LIFE: dict[Kind, Callable[[World, int, int], tuple[Event, ...]]] = {
    Kind.LEAVE: lambda world, i, _: _leave(world, i),
    Kind.RESET: lambda world, i, _: _reset(world, i),
    Kind.PAUSE: _pause,
}
