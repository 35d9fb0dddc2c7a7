"""The ladder beyond balloons: when the host compresses, swaps or merges, and whose memory.

Steps are taken in the declared order, each after those before it have had their time and fell
short. What a technique took is judged by what the host got back and by what the VM fetches again:
who misses its memory is left alone, longer every time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aerostat.engine.backing import least_in_ram_bytes
from aerostat.engine.figures import is_pinned, limits_of
from aerostat.engine.host_side import SWAP_IN_RATE, WAITING_RATIO
from aerostat.engine.host_state import LEAVE_FACTOR
from aerostat.engine.ladder_state import LadderState, Tried
from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestSnapshot, RunState
from aerostat.model.host import HostMemory, HostSnapshot
from aerostat.model.host_state import HOST_STEPS, TAKING_STEPS, HostState, LadderStep
from aerostat.model.plan import GuestTrace, RoundTrace
from aerostat.model.techniques import HostTake, Spared, TechniqueOrders
from aerostat.units import MIB

SLICE_BYTES = 64 * MIB
"""Taken from one VM at a time: it waits while its pages are unmapped."""
BATCH_BYTES = 256 * MIB
"""Ordered at once; the next batch is founded on what came of this one."""
WORTH_BYTES = 8 * MIB
"""A smaller gap, or a smaller take, is not worth it."""
PATIENCE_S = 2.0
"""So long the host waits for balloons that move.

Once nothing is on its way, and the gap stands for a second round, there is nothing to wait for.
"""
CRITICAL_PATIENCE_S = 0.5
"""In the critical state it waits so long for balloons that move, and not at all for others: most of
what is free in a guest is there by then, and paging it out meanwhile only delays it."""
SPLIT_WORTH_BYTES = 16 * MIB
"""Less than so much in parts of huge pages is left as it is."""
UNSEEN_DIVISOR = 2
"""Where what a VM touches is not known, half of what it could be left without counts as cold."""
FEEDBACK_S = 20.0
"""So long after a take what the VM reads back is that take's doing."""

_REACHABLE = (RunState.RUNNING, RunState.PAUSED, RunState.UNREACHABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """The state for the next round, and what to do now."""

    state: LadderState
    orders: TechniqueOrders = TechniqueOrders()
    is_waiting: bool = False  # for a gap to close, or to stand: it is soon looked at again


@dataclass(frozen=True, slots=True, kw_only=True)
class _Donor:
    """A VM that the host may take memory of."""

    order: HostTake
    rank: tuple[bool, float, str]  # those first whom balloons cannot serve, then the largest share


def climb(
    before: LadderState,
    snapshot: HostSnapshot,
    trace: RoundTrace,
    params: EngineParams,
) -> Climbed:
    """Decide what the host does itself in this round.

    Args:
        before: what the last round left, and what came of its orders.
        snapshot: what was read just now.
        trace: what balloons are asked for in this round.
        params: the operator's word.
    """
    now_s, memory, host_state = snapshot.now_s, snapshot.memory, trace.host.state
    splits_allowed = LadderStep.SPLIT in params.ladder.steps(host_state)
    if not (params.ladder.host_steps or before.techniques or splits_allowed):
        return Climbed(state=before)
    present = {guest.guest for guest in snapshot.guests}
    state = replace(before, tried=tuple(t for t in before.tried if t.guest in present))
    state = _heed_feedback(state, trace, now_s)
    if memory is None or host_state is HostState.UNKNOWN:
        return Climbed(state=replace(state, short_since_s=None))
    allowed = tuple(s for s in HOST_STEPS if s in params.ladder.steps(host_state))
    for step in allowed:
        state = state.with_technique(replace(state.technique(step), wanted_s=now_s))
    reserve = params.host.reserve.of(memory.total_bytes)
    splits = tuple(_splits(state, snapshot, params)) if splits_allowed else ()
    coming = _coming_bytes(trace) + sum(order.size_bytes for order in splits)
    state, gap = _gap(state, memory, trace, reserve, coming)
    if state.pending:
        return Climbed(state=state)
    spared = _spared(snapshot, params)
    pids = tuple(one.pid for one in spared)
    on_again = state.in_use if set(pids) - set(state.spared) else ()
    orders = TechniqueOrders(
        switch_on=(
            *(s for s in allowed if _may_switch(state, s, now_s, is_on=False)),
            *(s for s in on_again if _may_switch(state, s, now_s, is_on=True)),
        ),
        put_back=tuple(_to_put_back(state, allowed, memory, reserve, params, now_s)),
        takes=(*splits, *_takes(state, snapshot, trace, params, allowed, gap)),
        spared=spared,
    )
    count = len(orders.switch_on) + len(orders.put_back) + len(orders.takes)
    if orders.switch_on:
        state = replace(state, spared=pids)
    if count:
        state = replace(state, pending=count, ordered_s=now_s)
    is_new = state.short_since_s is not None and now_s - state.short_since_s < PATIENCE_S
    return Climbed(state=state, orders=orders, is_waiting=is_new or bool(splits))


def _heed_feedback(state: LadderState, trace: RoundTrace, now_s: float) -> LadderState:
    """Who reads back what was just taken of it, or waits for it, is left alone."""
    for guest in trace.guests:
        tried = state.of(guest.guest)
        if tried.took_s is None:
            continue
        if _misses_memory(guest):
            state = state.with_tried(tried.put_off(now_s))
        elif now_s - tried.took_s > FEEDBACK_S:
            state = state.with_tried(replace(tried, took_s=None, pause_s=tried.pause_s / 2))
    return state


def _misses_memory(trace: GuestTrace) -> bool:
    swaps_in = (trace.host_swap_in_bytes_per_s or 0.0) >= SWAP_IN_RATE
    return swaps_in or (trace.host_waiting_ratio or 0.0) >= WAITING_RATIO


def _coming_bytes(trace: RoundTrace) -> int:
    """What balloons are about to bring."""
    return sum(
        max(0, (g.actual_bytes or 0) - g.target_bytes)
        for g in trace.guests
        if g.target_bytes is not None and not g.is_stalled and not g.is_doubted
    )


def _gap(
    state: LadderState, memory: HostMemory, trace: RoundTrace, reserve: int, coming: int
) -> tuple[LadderState, int]:
    """What the host lacks beyond what is coming; 0 while that has its time."""
    gap = reserve - memory.lasting_bytes - coming
    if gap < WORTH_BYTES:
        return replace(state, short_since_s=None), 0
    now_s = trace.now_s
    since_s = now_s if state.short_since_s is None else state.short_since_s
    state = replace(state, short_since_s=since_s)
    waited_s, is_moving = now_s - since_s, coming >= WORTH_BYTES
    if trace.host.state is HostState.CRITICAL:
        is_over = not is_moving or waited_s >= CRITICAL_PATIENCE_S
    else:
        # One round with nothing on its way may be the one between two takes.
        is_over = waited_s > 0 and (not is_moving or waited_s >= PATIENCE_S)
    return state, gap if is_over else 0


def _splits(state: LadderState, snapshot: HostSnapshot, params: EngineParams) -> Iterator[HostTake]:
    """Huge pages of which a VM has given a part: split, so that the host gets that part.

    It takes nothing of what the VM holds, so neither min nor pressure is in its way.
    """
    for guest in snapshot.guests:
        limits, footprint = limits_of(guest, params), guest.footprint
        if footprint is None or footprint.pid is None or guest.run_state not in _REACHABLE:
            continue
        size = footprint.unsplit_bytes or 0
        is_due = snapshot.now_s >= state.of(guest.guest).split_retry_s
        is_exempt = not limits.is_managed or LadderStep.SPLIT in limits.exempt
        if size >= SPLIT_WORTH_BYTES and is_due and not is_exempt:
            yield HostTake(
                guest=guest.guest, pid=footprint.pid, size_bytes=size, step=LadderStep.SPLIT
            )


def _may_switch(state: LadderState, step: LadderStep, now_s: float, *, is_on: bool) -> bool:
    known = state.technique(step)
    is_due = known.retry_s is None or now_s >= known.retry_s
    return known.is_on is is_on and is_due


def _to_put_back(
    state: LadderState,
    allowed: Sequence[LadderStep],
    memory: HostMemory,
    reserve: int,
    params: EngineParams,
    now_s: float,
) -> Iterator[LadderStep]:
    """What no state has asked for in a while, if the host has room for what comes back with it."""
    swapped = memory.swap_total_bytes - memory.swap_free_bytes
    for step in state.in_use:
        is_idle = now_s - state.technique(step).wanted_s >= params.ladder.put_back_s
        # What merging saves is not in what lasts: it may come back at any time anyway.
        comes = 0 if step is LadderStep.MERGE else swapped
        has_room = memory.lasting_bytes - comes >= LEAVE_FACTOR * reserve
        is_due = is_idle and _may_switch(state, step, now_s, is_on=True)
        if step not in allowed and is_due and has_room:
            yield step


def _takes(
    state: LadderState,
    snapshot: HostSnapshot,
    trace: RoundTrace,
    params: EngineParams,
    allowed: Sequence[LadderStep],
    gap: int,
) -> Iterator[HostTake]:
    steps = [s for s in TAKING_STEPS if s in allowed and state.technique(s).is_on]
    if gap <= 0 or not steps:
        return
    donors = []
    for guest, told in zip(snapshot.guests, trace.guests, strict=True):
        tried = state.of(guest.guest)
        donor = _donor(guest, told, tried, params, steps, now_s=snapshot.now_s)
        if donor is not None:
            donors.append(donor)
    left = min(gap, BATCH_BYTES)
    for donor in sorted(donors, key=lambda donor: donor.rank):
        if left < WORTH_BYTES:
            return
        order = replace(donor.order, size_bytes=min(donor.order.size_bytes, left))
        left -= order.size_bytes
        yield order


def _donor(
    guest: GuestSnapshot,
    trace: GuestTrace,
    tried: Tried,
    params: EngineParams,
    steps: Sequence[LadderStep],
    *,
    now_s: float,
) -> _Donor | None:
    """A VM as a donor; None: nothing is to be taken of it by the host."""
    limits = limits_of(guest, params)
    step = next((s for s in steps if s not in limits.exempt), None)
    footprint = guest.footprint
    if step is None or not limits.is_managed or guest.run_state not in _REACHABLE:
        return None
    if footprint is None or footprint.pid is None or footprint.held_bytes is None:
        return None
    is_calm = not (trace.is_distressed or trace.is_confined or _misses_memory(trace))
    if is_pinned(guest) or not is_calm or now_s < tried.retry_s:
        return None
    # What it touched is no proof of what it can do without, but nobody takes what it did touch.
    least = max(least_in_ram_bytes(guest, params), footprint.touched_bytes or 0)
    spare = footprint.held_bytes - least
    size = min(SLICE_BYTES, spare // MIB * MIB)
    if size < WORTH_BYTES:
        return None
    # Where nobody looked at what it touches, how much of that is cold is a guess.
    cold = spare if footprint.touched_bytes is not None else spare // UNSEEN_DIVISOR
    is_served = bool(guest.has_balloon) and trace.figures_age_s is not None
    is_served = is_served and not trace.is_stalled
    return _Donor(
        order=HostTake(guest=guest.guest, pid=footprint.pid, size_bytes=size, step=step),
        rank=(is_served, -cold / limits.weight, guest.guest),
    )


def _spared(snapshot: HostSnapshot, params: EngineParams) -> tuple[Spared, ...]:
    """Who is exempt from what; a VM that is not managed is exempt from all."""
    found = []
    for guest in snapshot.guests:
        limits = limits_of(guest, params)
        steps = tuple(s for s in HOST_STEPS if s in limits.exempt or not limits.is_managed)
        if steps and guest.footprint is not None and guest.footprint.pid is not None:
            found.append(Spared(name=guest.name, pid=guest.footprint.pid, steps=steps))
    return tuple(found)
