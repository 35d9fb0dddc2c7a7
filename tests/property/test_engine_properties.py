"""Whatever the figures say, these hold in every round."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from aerostat.engine.step import Step
from aerostat.model.guest import RunState
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.units import MIB
from builders import Guest, World, params

BUDGET_MIB = 1200


@st.composite
def guests(draw: st.DrawFn, name: str) -> Guest:
    max_mib = draw(st.sampled_from([256, 512, 1024]))
    actual = draw(st.integers(64, min(max_mib, BUDGET_MIB // 4)))
    used = draw(st.integers(0, actual))
    return Guest(
        name=name,
        max_mib=max_mib,
        actual_mib=actual,
        used_mib=used,
        cache_mib=draw(st.integers(0, actual - used)),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = "abcd"[: draw(st.integers(1, 4))]
    rules = tuple(
        LimitRule(
            name_glob=name,
            limits=GuestLimits(
                minimum=Amount(size_bytes=draw(st.integers(32, 300)) * MIB),
                weight=draw(st.integers(1, 1000)),
            ),
        )
        for name in names
    )
    return World(
        guests=[draw(guests(name)) for name in names],
        params=replace(params(budget_mib=BUDGET_MIB), rules=rules),
    )


@st.composite
def turns(draw: st.DrawFn) -> dict[str, object]:
    """What happens to one guest before a round."""
    return {
        "which": draw(st.integers(0, 3)),
        "used_ratio": draw(st.floats(0, 1)),
        "swap_out_mib": draw(st.sampled_from([0, 0, 0, 1, 20])),
        "run_state": draw(st.sampled_from([RunState.RUNNING] * 5 + list(RunState))),
        "has_statistics": draw(st.sampled_from([True, True, True, False])),
        "is_frozen": draw(st.sampled_from([False, False, False, True])),
        "obeys": draw(st.sampled_from([True, True, False])),
        "elapse_s": draw(st.sampled_from([0.25, 1.0, 1.0, 4.0])),
        "host_swapped_ratio": draw(st.sampled_from([None, 0.0, 0.0, 0.02, 0.5, 1.0])),
        "host_swap_in_mib": draw(st.sampled_from([0, 0, 2, 100])),
        "host_waited_s": draw(st.sampled_from([0.0, 0.0, 0.05, 0.9])),
        "limit_hits": draw(st.sampled_from([0, 0, 0, 7, -3])),
        "held_ratio": draw(st.sampled_from([None, 0.2, 0.9, 1.0, 1.6])),
    }


def host_does(guest: Guest, turn: dict[str, object]) -> None:
    """What the host does to it: counters that stand, rise, or fall back."""
    held, swapped = turn["held_ratio"], turn["host_swapped_ratio"]
    actual = guest.actual_mib or 0
    guest.held_mib = None if held is None else actual * float(held)  # type: ignore[arg-type]
    guest.host_swap_mib = None if swapped is None else actual * float(swapped)  # type: ignore[arg-type]
    guest.host_swap_in_mib = (guest.host_swap_in_mib or 0) + int(turn["host_swap_in_mib"])  # type: ignore[call-overload]
    guest.host_waited_s = (guest.host_waited_s or 0.0) + float(turn["host_waited_s"])  # type: ignore[arg-type]
    guest.limit_hits = max(0, (guest.limit_hits or 0) + int(turn["limit_hits"]))  # type: ignore[call-overload]


def play(world: World, turn: dict[str, object]) -> Step:
    guest = world.guests[int(turn["which"]) % len(world.guests)]  # type: ignore[call-overload]
    guest.used_mib = int(float(turn["used_ratio"]) * (guest.actual_mib or 0))  # type: ignore[arg-type]
    guest.cache_mib = min(guest.cache_mib, (guest.actual_mib or 0) - guest.used_mib)
    guest.swap_out_mib += int(turn["swap_out_mib"])  # type: ignore[call-overload]
    guest.run_state = turn["run_state"]  # type: ignore[assignment]
    guest.has_statistics = bool(turn["has_statistics"])
    guest.frozen_wall_s = 1_790_000_000.0 + world.now_s if turn["is_frozen"] else None
    world.obeys = bool(turn["obeys"])
    host_does(guest, turn)
    return world.round(elapse_s=float(turn["elapse_s"]))  # type: ignore[arg-type]


@settings(max_examples=150)
@given(worlds(), st.lists(turns(), min_size=1, max_size=25))
def test_bounds_supply_distress_and_freshness_hold_in_every_round(
    world: World, story: list[dict[str, object]]
) -> None:
    limits = {rule.name_glob: rule.limits for rule in world.params.rules}
    held = {g.name: (g.actual_mib or 0) * MIB for g in world.guests}
    for turn in story:
        step = play(world, turn)
        traces = {trace.name: trace for trace in step.trace.guests}
        for change in step.plan.changes:
            name = str(change.guest)
            trace = traces[name]
            guest = world.guest(name)
            before = trace.target_before_bytes or held[name]
            assert change.target_bytes <= guest.max_mib * MIB
            if change.target_bytes < before:
                floor = limits[name].minimum.of(guest.max_mib * MIB)
                assert change.target_bytes >= min(floor, before, held[name])
                assert not trace.is_distressed
            is_new_take = change.target_bytes < min(before, held[name])
            if is_new_take:
                assert guest.has_statistics
                assert trace.figures_age_s is not None
                assert trace.figures_age_s <= world.params.guard.figures_age_max_s
        counted = {
            name: max(size, traces[name].target_before_bytes or 0) for name, size in held.items()
        }
        given = sum(max(0, c.target_bytes - counted[str(c.guest)]) for c in step.plan.changes)
        # One that holds more than it says counts with what it holds: being given that costs nobody.
        if not any(trace.is_doubted for trace in traces.values()):
            assert given <= max(0, BUDGET_MIB * MIB - sum(counted.values()))
        for guest in world.guests:
            held[guest.name] = (guest.actual_mib or 0) * MIB


@settings(max_examples=60)
@given(worlds(), st.lists(turns(), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_renaming_guests_renames_targets(
    world: World, story: list[dict[str, object]], random: object
) -> None:
    """The order of guests decides nothing: permuting guests permutes targets."""
    names = [guest.name for guest in world.guests]
    others = [f"z{name}" for name in names]
    random.shuffle(others)  # type: ignore[attr-defined] # hypothesis hands out a random.Random
    new_name = dict(zip(names, others, strict=True))
    twin = World(
        guests=[replace(guest, name=new_name[guest.name]) for guest in world.guests],
        params=replace(
            world.params,
            rules=tuple(
                replace(rule, name_glob=new_name[rule.name_glob or ""])
                for rule in world.params.rules
            ),
        ),
    )
    for turn in story:
        ours = {str(c.guest): c.target_bytes for c in play(world, turn).plan.changes}
        theirs = {str(c.guest): c.target_bytes for c in play(twin, turn).plan.changes}
        assert {new_name[name]: target for name, target in ours.items()} == theirs


@settings(max_examples=60)
@given(worlds(), st.lists(turns(), min_size=1, max_size=12))
def test_the_same_story_decides_the_same(world: World, story: list[dict[str, object]]) -> None:
    twin = World(guests=[replace(guest) for guest in world.guests], params=world.params)
    for turn in story:
        assert play(world, turn).trace == play(twin, turn).trace


@settings(max_examples=60)
@given(worlds(), st.lists(turns(), min_size=1, max_size=12))
def test_a_step_leaves_the_state_it_was_given_alone(
    world: World, story: list[dict[str, object]]
) -> None:
    for turn in story:
        before = world.state
        frozen = tuple(tuple(column) for column in before.memory)
        play(world, turn)
        assert tuple(tuple(column) for column in before.memory) == frozen
