"""Commands on their way: what a hypervisor does with a target, and what the engine hears of it."""

from aerostat.engine.columns import Round
from aerostat.policy.columns import ABSENT
from aerostat.sim.chaos.columns import World

ACCEPTED = 0
REFUSED = 1
UNKNOWN = 2


def take_plan(world: World, r: Round) -> None:
    """This round's targets, as ``engine.trace.plan_of`` would send them."""
    for i in range(len(world.guests.is_here)):
        target, ordered = r.decision.target_bytes[i], r.estimates.ordered_bytes[i]
        again = r.memory.is_outcome_unknown[i] == 1 and r.decision.is_urgent[i] == 1
        can_grow = r.figures.is_managed[i] == 1 and r.figures.has_balloon[i] == 1
        is_waiting = r.figures.actual_bytes[i] < target and r.estimates.is_stalled[i] == 1
        again = again or (can_grow and is_waiting)
        world.commands.plan_bytes[i] = target if target != ordered or again else ABSENT


def send(world: World, tick: int) -> None:
    """Carry out this round's targets; a guest whose last command is under way gets no second."""
    commands = world.commands
    for i in range(len(commands.plan_bytes)):
        target = commands.plan_bytes[i]
        if target == ABSENT or world.host.is_enforcing[0] == 0 or commands.is_under_way[i] == 1:
            continue
        commands.outcome[i] = _carry_out(world, i, target)
        commands.is_overdue[i] = 0
        commands.sent_bytes[i] = target
        commands.is_under_way[i] = 1
        commands.due_tick[i] = tick + 1 + world.faults.delay_ticks[i]


def _carry_out(world: World, i: int, target: int) -> int:
    guests, faults = world.guests, world.faults
    if faults.refuses[i] == 1 or guests.is_here[i] == 0:
        return REFUSED
    if faults.loses[i] != 2:
        guests.target_bytes[i] = min(target, guests.max_bytes[i])
        guests.has_yielded[i] = 0
    return UNKNOWN if faults.loses[i] != 0 else ACCEPTED


def news(world: World, i: int, tick: int) -> int:
    """What the engine hears of a guest's command in this round; ``ABSENT``: nothing.

    One that is not answered in the round it was sent in is reported as unknown at once, and what
    became of it in the end is told later.
    """
    commands = world.commands
    if commands.is_under_way[i] == 0:
        return ABSENT
    if tick >= commands.due_tick[i]:
        return commands.outcome[i]
    return UNKNOWN if commands.is_overdue[i] == 0 else ABSENT


def note_news(world: World, i: int, tick: int) -> None:
    """Whoever sent the target knows now what became of it, or that nobody knows."""
    commands = world.commands
    outcome = news(world, i, tick)
    commands.is_overdue[i] = 1
    if tick >= commands.due_tick[i]:
        commands.is_under_way[i] = 0
    if outcome != REFUSED:
        commands.known_bytes[i] = commands.sent_bytes[i]
        world.watch.has_arrived[i] = 0


def hear(world: World, r: Round, tick: int) -> None:
    """Fold the answers of this round into the engine's memory, as ``engine.state`` does."""
    for i in range(len(world.guests.is_here)):
        outcome = news(world, i, tick)
        if outcome == ABSENT:
            continue
        if outcome != REFUSED:
            _answered(r, i, world.commands.sent_bytes[i], outcome)
        note_news(world, i, tick)


def _answered(r: Round, i: int, target: int, outcome: int) -> None:
    memory = r.memory
    memory.is_outcome_unknown[i] = 1 if outcome == UNKNOWN else 0
    before = memory.target_bytes[i]
    if before == ABSENT:
        before = memory.actual_bytes[i]
    if target < min(before, memory.actual_bytes[i]):
        memory.take_s[i] = r.now_s
    memory.target_bytes[i] = target
    memory.target_set_s[i] = r.now_s
    memory.progress_s[i] = r.now_s
    memory.has_arrived[i] = 0
