"""Runs of fleets: every policy, conserved memory, one result however it is come by."""

import random

import numpy as np
import pytest

from aerostat.engine import invariants
from aerostat.engine.columns import Estimates, Figures, Memory, Round, empty_memory
from aerostat.engine.decide import decide
from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState, with_events
from aerostat.model.events import Outcome, TargetAnswered
from aerostat.model.guest import GuestId
from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.accept import accept, answered
from aerostat.sim.fleet.boards import (
    FIXED_COLUMNS,
    round_of,
    shipped_params,
    static_params,
)
from aerostat.sim.fleet.constants import DEFLATE_RATE, INFLATE_RATE
from aerostat.sim.fleet.draw import Draw, drawn_world
from aerostat.sim.fleet.engine_ticks import run_ticks
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.kinds import synthetic_fleet
from aerostat.sim.fleet.run import run_policy
from aerostat.sim.fleet.summary import summary_of
from aerostat.sim.fleet.synthetic import synthetic_trace
from aerostat.sim.fleet.ticks import engine_loop
from aerostat.sim.fleet.tournament import Arm, run_arms
from aerostat.sim.fleet.world import FleetWorld, fleet_of
from aerostat.sim.workers import Alone, Cores
from aerostat.units import GIB
from sim.fleet.fleet_worlds import world

TRACE = synthetic_trace(seed=5, vms=12, samples=12)


def drawn(*, hosts: int = 2, overcommit: float = 3.0, samples: int = 12) -> FleetWorld:
    trace = synthetic_trace(seed=5, vms=12, samples=samples)
    draw = Draw(seed=2, hosts=hosts, guests_a_host=6)
    return drawn_world(trace, draw, overcommit_ratio=overcommit)


@pytest.mark.parametrize("policy", list(PolicyName))
def test_every_policy_runs_a_fleet(policy: PolicyName) -> None:
    """And scores within what is possible; two runs are the same run."""
    w = drawn()
    outcome = run_policy(w, policy, is_compiled=False)
    summary = summary_of(w, outcome)
    assert 0 <= summary.unmet_ratio <= summary.worst_unmet_ratio <= 1
    assert summary.guest_ticks == 12 * 30 * 12
    assert run_policy(w, policy, is_compiled=False).digest == outcome.digest


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("policy", list(PolicyName))
def test_compiled_and_interpreted_runs_are_one(policy: PolicyName) -> None:
    """To the last bit of every score, counter and size."""
    w = drawn(samples=36)
    interpreted = run_policy(w, policy, is_compiled=False)
    compiled = run_policy(w, policy)
    assert compiled.digest == interpreted.digest
    assert summary_of(w, compiled).unmet_ratio == summary_of(w, interpreted).unmet_ratio


def test_hosts_of_a_fleet_fare_as_they_do_alone() -> None:
    w = drawn(hosts=2)
    both = run_policy(w, PolicyName.ADAPTIVE, is_compiled=False).parts[0]
    alone = [
        run_policy(w.host(number), PolicyName.ADAPTIVE, is_compiled=False).parts[0]
        for number in range(2)
    ]
    for column in ("actual_bytes", "short_byte_s", "churn_bytes"):
        parts = [value for part in alone for value in getattr(part.guests, column)]
        assert list(getattr(both.guests, column)) == parts


def test_blocks_of_hosts_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet run host after host is the same fleet."""
    w = drawn(hosts=2)
    whole = run_policy(w, PolicyName.ADAPTIVE, is_compiled=False)
    monkeypatch.setattr("aerostat.sim.fleet.run.BLOCK_GUESTS", 6)
    blocks = run_policy(w, PolicyName.ADAPTIVE, is_compiled=False)
    assert (len(whole.parts), len(blocks.parts)) == (1, 2)
    assert blocks.digest == whole.digest


def test_memory_is_conserved_and_balloons_keep_their_rates() -> None:
    """Tick by tick: the guests of a host never hold more than there is for them."""
    w = world([[6, 1, 1, 40], [1, 6, 1, 5], [30, 30, 1, 5]], max_gib=[64, 64, 64, 64], overcommit=4)
    fleet = fleet_of(w)._replace(demand_bytes=w.demand_bytes.tolist())
    r = round_of(fleet, shipped_params(w.tick_s))
    moved = 0
    for tick in range(w.ticks):
        before = list(fleet.guests.actual_bytes)
        run_ticks(fleet, r, (tick, tick + 1))
        invariants.check(r, supply_bytes=fleet.hosts.supply_bytes[0])
        assert sum(fleet.guests.actual_bytes) <= fleet.hosts.supply_bytes[0]
        for old, new in zip(before, fleet.guests.actual_bytes, strict=True):
            assert -INFLATE_RATE * w.tick_s <= new - old <= DEFLATE_RATE * w.tick_s
            moved += abs(new - old)
    assert moved == sum(fleet.guests.churn_bytes) > GIB


def test_accepting_a_target_is_what_the_engine_does_with_an_answer() -> None:
    """Over random memories: every column as ``with_events`` leaves it."""
    w = world([[1, 1, 1]])
    draw = random.Random(7)
    names = tuple(GuestId(f"g{i}") for i in range(3))
    for _ in range(200):
        r = round_of(fleet_of(w), shipped_params(w.tick_s))._replace(now_s=draw.uniform(1, 99))
        for i in range(3):
            r.memory.target_bytes[i] = draw.choice([-1, draw.randint(1, 8) * GIB])
            r.memory.actual_bytes[i] = draw.randint(1, 8) * GIB
            r.memory.has_arrived[i] = draw.randint(0, 1)
            r.memory.is_outcome_unknown[i] = draw.randint(0, 1)
            r.memory.take_s[i] = draw.uniform(-5, 5)
        state = EngineState(guests=names, memory=_copied(r))
        targets = [draw.randint(1, 8) * GIB for _ in names]
        events = [
            TargetAnswered(guest=name, target_bytes=target, outcome=Outcome.ACCEPTED)
            for name, target in zip(names, targets, strict=True)
        ]
        expected = with_events(state, events, now_s=r.now_s).memory
        for i, target in enumerate(targets):
            answered(r, i, target)
        assert r.memory == expected


def test_only_changes_are_sent() -> None:
    """A decision to leave a guest alone does not touch what is remembered of its target."""
    w = world([[1, 1]])
    fleet = fleet_of(w)._replace(demand_bytes=w.demand_bytes.tolist())
    r = round_of(fleet, shipped_params(10.0))
    run_ticks(fleet, r, (0, 1))
    before = _copied(r)
    r.decision.target_bytes[:] = list(r.estimates.ordered_bytes)
    accept(r, fleet.guests)
    assert r.memory == before
    r.decision.target_bytes[1] -= GIB
    accept(r, fleet.guests)
    assert fleet.guests.target_bytes[1] == r.memory.target_bytes[1] == r.decision.target_bytes[1]


def _copied(r: Round) -> Memory:
    return empty_memory(0)._replace(
        **{name: list(getattr(r.memory, name)) for name in r.memory._fields}
    )


def test_a_policy_learns_of_demand_a_tick_late() -> None:
    """What is decided in the tick of a rise is decided on figures from before it."""
    w = world([[1, 1], [5, 1]], sample_s=20)
    fleet = fleet_of(w)._replace(demand_bytes=w.demand_bytes.tolist())
    r = round_of(fleet, shipped_params(w.tick_s))
    run_ticks(fleet, r, (0, 3))
    assert fleet.guests.demand_bytes[0] == 5 * GIB
    assert r.figures.available_bytes[0] == 3 * GIB  # 4 held, 1 used: the tick before
    run_ticks(fleet, r, (3, 4))
    assert r.figures.available_bytes[0] == 0
    decide(r)
    assert r.estimates.is_distressed[0] == 1


def test_results_do_not_depend_on_who_works_on_them() -> None:
    """Any order of the arms, one process or two: the same digests, in the order of the arms."""
    arms = [
        Arm(
            trace=TRACE,
            policy=policy,
            draw=Draw(seed=seed, hosts=2, guests_a_host=6),
            overcommit_ratio=3.0,
            is_compiled=False,
        )
        for policy in (PolicyName.ADAPTIVE, PolicyName.SLACK)
        for seed in (1, 2)
    ]
    here = [run.summary.digest for run in run_arms(arms, Alone())]
    there = [run.summary.digest for run in run_arms(arms[::-1], Cores(2))]
    assert there == here[::-1]
    assert len(set(here)) == len(here)


def test_the_clairvoyant_has_the_memory_there_before_it_is_wanted() -> None:
    w = world([[1, 6], [6, 1], [1, 6]], overcommit=2)
    bound = summary_of(w, run_policy(w, PolicyName.CLAIRVOYANT, is_compiled=False))
    slack = summary_of(w, run_policy(w, PolicyName.SLACK, is_compiled=False))
    assert bound.unmet_ratio < slack.unmet_ratio
    assert np.isfinite(bound.churn_gib_per_guest_hour)


@pytest.mark.parametrize("sample_s", [11.0, 13.0, 70.0, 100.0, 299.0, 700.0, 899.0])
def test_a_tick_that_is_no_exact_fraction_still_goes_into_its_sample(sample_s: float) -> None:
    """As the planner divides: 700 s into 70 ticks, of which no remainder is exact."""
    tick_s = sample_s / -(-sample_s // 10.0)
    made = world([[1.0], [1.0]], sample_s=sample_s, tick_s=tick_s)
    assert made.ticks * made.tick_s == pytest.approx(2 * sample_s)
    with pytest.raises(AssertionError, match="whole number of ticks"):
        world([[1.0]], sample_s=sample_s, tick_s=0.7 * sample_s)


@pytest.mark.parametrize("kind", ["boot-storm", "bursty"])
@pytest.mark.parametrize("full", [None, FullPhysics(swap_ratio=0.02, is_reporting=True)])
@pytest.mark.parametrize("params", [shipped_params(10.0), static_params()])
def test_columns_that_the_compiler_takes_for_fixed_never_change(
    kind: str, full: FullPhysics | None, params: EngineParams
) -> None:
    """Else compiled code would go on with what they were."""
    trace = synthetic_fleet(kind, seed=1, vms=12, days=0.03)
    draw = Draw(seed=1, hosts=None, guests_a_host=6)
    w = drawn_world(trace, draw, overcommit_ratio=6.0, full=full)
    fleet = fleet_of(w)
    fleet = fleet._replace(demand_bytes=np.asarray(fleet.demand_bytes).tolist())
    r = round_of(fleet, params)
    tables = {Figures: r.figures, Memory: r.memory, Estimates: r.estimates}
    fixed = [(kind, name) for kind, names in FIXED_COLUMNS.items() for name in names]
    before = {(kind, name): list(getattr(tables[kind], name)) for kind, name in fixed}
    loop = engine_loop(is_compiled=False, is_full=full is not None)
    for tick in range(w.ticks):
        loop(fleet, r, (tick, tick + 1))
        for kind_, name in fixed:
            assert getattr(tables[kind_], name) == before[kind_, name], (tick, name)
    assert sum(fleet.guests.churn_bytes) > 0
