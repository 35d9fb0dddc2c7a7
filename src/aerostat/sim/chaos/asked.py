"""The engine asked as the daemon asks it: snapshot and events into ``engine.step``, a plan out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from aerostat.engine.columns import (
    RUN_MIGRATING,
    RUN_PAUSED,
    STANDING_HELD,
    STANDING_NONE,
    STANDING_RELEASED,
)
from aerostat.engine.params import Accounting, EngineParams, HostParams
from aerostat.engine.resident import in_use_bytes
from aerostat.engine.state import EngineState, aligned, with_events
from aerostat.engine.step import Step, step
from aerostat.model.events import Event, Outcome, TargetAnswered
from aerostat.model.figures import BalloonStatistics, GuestPressure, VmFootprint
from aerostat.model.guest import GuestSnapshot, RunState
from aerostat.model.host import HostMemory, HostSnapshot
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.model.orders import GuestOrder, Standing
from aerostat.policy.columns import ABSENT
from aerostat.policy.params import PolicyName
from aerostat.sim.chaos.answer import REFUSED, UNKNOWN, news, note_news, send
from aerostat.sim.chaos.check import check
from aerostat.sim.chaos.columns import START_S, WALL_S, World
from aerostat.sim.chaos.happen import id_of
from aerostat.sim.chaos.physics import live
from aerostat.sim.chaos.show import (
    available_bytes,
    has_sample,
    judge_supply,
    settle_host,
    tells_kills,
)

Decide = Callable[[EngineState, HostSnapshot, Sequence[Event], EngineParams], Step]

_STANDING = {STANDING_HELD: Standing.HELD, STANDING_RELEASED: Standing.RELEASED}
_RUN = {RUN_PAUSED: RunState.PAUSED, RUN_MIGRATING: RunState.MIGRATING}


@dataclass(slots=True)
class AskedEngine:
    """Runs ticks of a world of lists under the engine's own front door."""

    world: World
    decide: Decide = step
    state: EngineState = field(default_factory=EngineState)
    last: Step | None = None

    def run(self, events: tuple[Event, ...], first: int, end: int) -> None:
        """Let ticks pass; ``events`` are heard in the first of them."""
        for tick in range(first, end):
            self.tick(events, tick)
            events = ()

    def tick(self, events: tuple[Event, ...], tick: int) -> Step:
        """One round and what follows from it."""
        world = self.world
        now_s = START_S + tick * world.tick_s
        settle_host(world)
        snapshot = snapshot_of(world, now_s)
        heard = (*events, *_answers(world, tick))
        decided = self.decide(self.state, snapshot, heard, params_of(world))
        self._note_use(snapshot, heard)
        self.state, self.last = decided.state, decided
        judge_supply(world)
        world.host.reserved_bytes[0] = decided.state.reserved_bytes
        targets = {str(change.guest): change.target_bytes for change in decided.plan.changes}
        for i in range(len(world.guests.is_here)):
            world.commands.plan_bytes[i] = targets.get(id_of(i), ABSENT)
        check(world, now_s, tick)
        send(world, tick)
        live(world, now_s + world.tick_s)
        return decided

    def _note_use(self, snapshot: HostSnapshot, heard: Sequence[Event]) -> None:
        """As the round that was just decided knew it: nobody's state is changed in place."""
        ids = tuple(guest.guest for guest in snapshot.guests)
        known = aligned(self.state, ids, now_s=snapshot.now_s)
        known = with_events(known, heard, now_s=snapshot.now_s)
        for i in range(len(self.world.guests.is_here)):
            self.world.watch.in_use_bytes[i] = ABSENT
        for row, guest in enumerate(ids):
            self.world.watch.in_use_bytes[int(guest[1:])] = in_use_bytes(known.memory, row)


def _answers(world: World, tick: int) -> tuple[Event, ...]:
    events: list[Event] = []
    outcomes = {REFUSED: Outcome.REFUSED, UNKNOWN: Outcome.UNKNOWN}
    for i in range(len(world.guests.is_here)):
        heard = news(world, i, tick)
        if heard != ABSENT:
            outcome = outcomes.get(heard, Outcome.ACCEPTED)
            sent = world.commands.sent_bytes[i]
            events.append(TargetAnswered(guest=id_of(i), target_bytes=sent, outcome=outcome))
            note_news(world, i, tick)
    return tuple(events)


def params_of(world: World) -> EngineParams:
    """The operator's word, as it stands in the world."""
    guests, host = world.guests, world.host
    rules = tuple(
        LimitRule(
            name_glob=id_of(i),
            limits=GuestLimits(
                minimum=Amount(size_bytes=guests.min_bytes[i]),
                maximum=Amount(size_bytes=guests.ceiling_bytes[i]),
                weight=guests.weight[i],
                is_managed=guests.is_managed[i] == 1,
            ),
        )
        for i in range(len(guests.is_here))
    )
    budget = host.budget_bytes[0]
    own = HostParams(
        accounting=Accounting.ELASTIC if host.is_elastic[0] == 1 else Accounting.STRICT,
        budget_bytes=None if budget == ABSENT else budget,
        reserve=Amount(size_bytes=host.reserve_bytes[0]),
    )
    policy = PolicyName.STATIC if host.is_static[0] == 1 else PolicyName.ADAPTIVE
    orders = {
        id_of(i): GuestOrder(guest=id_of(i), standing=_STANDING[guests.standing[i]])
        for i in range(len(guests.is_here))
        if guests.standing[i] != STANDING_NONE
    }
    return replace(EngineParams(), policy=policy, host=own, rules=rules, orders=orders)


def snapshot_of(world: World, now_s: float) -> HostSnapshot:
    """What collecting would read now."""
    wall_s = WALL_S + now_s + world.host.wall_jump_s[0]
    here = [i for i in range(len(world.guests.is_here)) if world.guests.is_here[i] == 1]
    return HostSnapshot(
        now_s=now_s,
        wall_s=wall_s,
        memory=_host_memory(world) if world.host.is_readable[0] == 1 else None,
        guests=tuple(_guest(world, i, wall_s) for i in here),
    )


def _host_memory(world: World) -> HostMemory:
    available = max(0, available_bytes(world))
    return HostMemory(
        total_bytes=world.host.total_bytes[0],
        available_bytes=available,
        free_bytes=available,
        cache_bytes=0,
        swap_total_bytes=0,
        swap_free_bytes=0,
    )


def _guest(world: World, i: int, wall_s: float) -> GuestSnapshot:
    guests, faults = world.guests, world.faults
    name = str(id_of(i))
    has_balloon = guests.has_balloon[i] == 1
    if faults.is_unreachable[i] == 1:
        return GuestSnapshot(
            guest=id_of(i),
            name=name,
            run_state=RunState.UNREACHABLE,
            max_bytes=guests.max_bytes[i],
            has_balloon=has_balloon,
        )
    return GuestSnapshot(
        guest=id_of(i),
        name=name,
        run_state=_RUN.get(guests.run[i], RunState.RUNNING),
        max_bytes=guests.max_bytes[i],
        actual_bytes=None if faults.hides_actual[i] == 1 else guests.actual_bytes[i],
        has_balloon=has_balloon,
        deflates_on_oom=_truth(guests.deflates_on_oom[i]),
        is_backing_up=guests.is_backing_up[i] == 1,
        disk_read_bytes=guests.disk_read_bytes[i],
        statistics=_statistics(world, i, wall_s),
        pressure=_pressure(world, i, wall_s),
        footprint=VmFootprint(
            age_s=0.0,
            cgroup_bytes=guests.held_bytes[i],
            swap_bytes=guests.host_swap_bytes[i],
        ),
    )


def _statistics(world: World, i: int, wall_s: float) -> BalloonStatistics | None:
    if not has_sample(world, i):
        return None
    guests = world.guests
    whole = world.faults.is_silent[i] == 0
    return BalloonStatistics(
        sampled_wall_s=guests.sample_wall_s[i],
        age_s=max(0.0, wall_s - guests.sample_wall_s[i]),
        available_bytes=guests.sample_available_bytes[i] if whole else None,
        free_bytes=guests.sample_free_bytes[i] if whole else None,
        cache_bytes=guests.sample_cache_bytes[i] if whole else None,
        swap_in_bytes=guests.sample_swap_in_bytes[i],
        swap_out_bytes=guests.sample_swap_out_bytes[i],
        major_faults=guests.sample_major_faults[i],
        oom_kills=guests.sample_oom_kills[i] if tells_kills(world, i) else None,
    )


def _pressure(world: World, i: int, wall_s: float) -> GuestPressure | None:
    guests = world.guests
    if guests.has_agent[i] == 0 or not has_sample(world, i):
        return None
    return GuestPressure(
        sampled_wall_s=guests.sample_wall_s[i],
        age_s=max(0.0, wall_s - guests.sample_wall_s[i]),
        some_total_s=guests.sample_pressure_s[i],
        full_total_s=guests.sample_pressure_s[i],
        refaults=guests.sample_refaults[i],
    )


def _truth(value: int) -> bool | None:
    return None if value == ABSENT else value == 1
