"""Compiled and interpreted arithmetic give identical targets: it is one source."""

import random
from dataclasses import replace
from itertools import product

import pytest

from aerostat.engine.columns import Hosts, Round
from aerostat.engine.decide import decide
from aerostat.engine.params import Accounting, EngineParams, GuardParams, HostParams
from aerostat.engine.state import EngineState, aligned
from aerostat.engine.step import round_of
from aerostat.engine.supply import Supply
from aerostat.model.guest import GuestId, RunState
from aerostat.model.host import HostSnapshot
from aerostat.model.orders import GuestOrder, Standing
from aerostat.policy.params import PolicyName
from aerostat.sim.compiled import as_arrays, compiled_decide
from aerostat.units import MIB
from builders import WALL_S, Guest

GUESTS_A_HOST = 6
HOSTS = 5


def random_guest(name: str, draw: random.Random, wall_s: float) -> Guest:
    max_mib = draw.choice([256, 512, 1024])
    actual = draw.randint(100, max_mib)
    used = draw.randint(0, actual)
    return Guest(
        name=name,
        max_mib=max_mib,
        actual_mib=draw.choice([actual, actual, actual, None]),
        used_mib=used,
        cache_mib=draw.randint(0, actual - used),
        swap_in_mib=draw.choice([0, 5, 50]) * wall_s / 10,
        swap_out_mib=draw.choice([0, 0, 3]) * wall_s / 10,
        major_faults=int(draw.choice([0, 30, 400]) * wall_s),
        run_state=draw.choice([RunState.RUNNING] * 8 + list(RunState)),
        has_balloon=draw.choice([True, True, True, None, False]),
        deflates_on_oom=draw.choice([None, False, True]),
        has_statistics=draw.random() < 0.9,
        frozen_wall_s=draw.choice([None, None, None, WALL_S]),
        is_backing_up=draw.random() < 0.1,
        held_mib=draw.choice([None, actual, actual + 300, draw.randint(1, actual)]),
        held_age_s=draw.choice([0.0, 0.0, 0.3, 5.0]),
        host_swap_mib=draw.choice([None, 0, 3, 200]),
        host_swap_in_mib=draw.choice([None, 0, 50]) and wall_s / 3,
        host_waited_s=draw.choice([None, 0.0, wall_s / 20, wall_s / 4]),
        limit_hits=draw.choice([None, 0, int(wall_s)]),
        unsplit_mib=draw.choice([None, 0, 4, 200]),
    )


def many_hosts(seed: int, policy: PolicyName) -> tuple[Round, Round]:
    """The same rounds, as lists and as arrays, with some history behind them."""
    accounting = Accounting.ELASTIC if seed % 2 == 1 else Accounting.STRICT
    params = EngineParams(
        policy=policy, guard=GuardParams(grace_s=2.0), host=HostParams(accounting=accounting)
    )
    draw = random.Random(seed)
    order = GuestOrder(guest=GuestId("g001"), standing=Standing.HELD)
    released = GuestOrder(guest=GuestId("g008"), weight=300, standing=Standing.RELEASED)
    params = replace(params, orders={o.guest: o for o in (order, released)})
    state = EngineState()
    rounds: list[Round] = []
    for turn in range(6):
        now_s = 100.0 + turn * draw.choice([0.5, 1.0, 3.0])
        names = [f"g{number:03}" for number in range(GUESTS_A_HOST * HOSTS)]
        guests = tuple(random_guest(n, draw, now_s).snapshot(WALL_S + now_s) for n in names)
        snapshot = HostSnapshot(now_s=now_s, wall_s=WALL_S + now_s, memory=None, guests=guests)
        state = aligned(state, tuple(g.guest for g in guests), now_s=now_s)
        for i in range(len(guests)):
            if draw.random() < 0.1:
                state.memory.shutdown_asked_s[i] = now_s
        supply = Supply(
            total_bytes=None, burst_least_bytes=0, burst_most_bytes=0, physical_bytes=None
        )
        r = round_of(state, snapshot, supply, params)
        firsts = list(range(0, len(guests), GUESTS_A_HOST))
        hosts = Hosts(
            first=firsts,
            end=[first + GUESTS_A_HOST for first in firsts],
            supply_bytes=[draw.choice([-1, 1500, 2500, 4000]) * MIB for _ in firsts],
            physical_bytes=[draw.choice([-1, 200 * MIB]) for _ in firsts],
            burst_least_bytes=[draw.choice([0, 100]) * MIB for _ in firsts],
            burst_most_bytes=[draw.choice([100, 400]) * MIB for _ in firsts],
            burst_bytes=[0 for _ in firsts],
            kept_back_bytes=[0 for _ in firsts],
            reserved_bytes=[draw.choice([0, 50]) * MIB for _ in firsts],
        )
        hosts.supply_bytes[0] = -1
        rounds = [r._replace(hosts=hosts)]
        twin = as_arrays(rounds[0])
        if turn == 5:
            return rounds[0], twin
        decide(rounds[0])
        state = replace(state, memory=rounds[0].memory)
    raise AssertionError("not reached")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_compiled_and_interpreted_decide_the_same() -> None:
    """Targets, reasons, bounds, estimates and what is remembered: to the last bit."""
    decide_compiled = compiled_decide()  # of both policies: a test for each might compile it twice
    for seed, policy in product(range(60), (PolicyName.ADAPTIVE, PolicyName.STATIC)):
        plain, arrays = many_hosts(seed, policy)
        decide(plain)
        decide_compiled(arrays)
        assert list(arrays.decision.target_bytes) == plain.decision.target_bytes
        assert list(arrays.decision.reason) == plain.decision.reason
        assert list(arrays.decision.bound) == plain.decision.bound
        for name in plain.estimates._fields:
            assert list(getattr(arrays.estimates, name)) == getattr(plain.estimates, name), name
        for name in plain.memory._fields:
            assert list(getattr(arrays.memory, name)) == getattr(plain.memory, name), name


def test_hosts_in_one_call_decide_as_they_do_alone() -> None:
    plain, _ = many_hosts(3, PolicyName.ADAPTIVE)
    alone, _ = many_hosts(3, PolicyName.ADAPTIVE)
    decide(plain)
    for host in range(HOSTS):
        one = Hosts(*([column[host]] for column in alone.hosts))
        decide(alone._replace(hosts=one))
    assert alone.decision.target_bytes == plain.decision.target_bytes
    assert alone.decision.reason == plain.decision.reason
