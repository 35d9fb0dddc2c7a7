"""Many arms, policies on worlds, by any crew: the same results in any order and partition."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.draw import Draw, Source, drawn_vms, drawn_world
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.job import FleetJob, Look, WorldRecipe, jobs_of, joined
from aerostat.sim.fleet.kinds import FleetRecipe
from aerostat.sim.fleet.run import Outcome
from aerostat.sim.fleet.series import Series, tightest_host
from aerostat.sim.fleet.summary import Summary, summarised
from aerostat.sim.fleet.world import FleetWorld
from aerostat.sim.workers import Crew

JOBS_A_WORKER = 4
"""Jobs for each worker at least, where there are hosts enough: the last one is waited for."""
JOB_BYTES_MAX = 32 << 20
"""Of demand in one job, where it has more than one host."""
ALONE_BYTES_MAX = 256 << 20
"""The same where one process runs one job after the other: memory stays flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One policy on one world."""

    trace: Source
    policy: PolicyName
    draw: Draw
    overcommit_ratio: float
    tick_s: float = 10.0
    full: FullPhysics | None = None
    looks: int = 0
    is_compiled: bool = True

    def world(self, hosts: tuple[int, int] | None = None) -> FleetWorld:
        """The world, or some hosts of it, drawn anew.

        Raises:
            TraceError: the trace has fewer VMs than one host takes.
        """
        return drawn_world(
            self.trace,
            self.draw,
            overcommit_ratio=self.overcommit_ratio,
            tick_s=self.tick_s,
            full=self.full,
            hosts=hosts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """What came of an arm."""

    arm: Arm
    summary: Summary
    outcome: Outcome  # its fleet without the demand
    series: Series | None


def run_arms(
    arms: Sequence[Arm], crew: Crew, *, done: Callable[[float], None] | None = None
) -> Iterator[ArmResult]:
    """Run all arms.

    Args:
        arms: in any order; each is a run of its own.
        crew: who runs them.
        done: is told which share of all the work is finished, as it is.

    Returns:
        A result for each arm, in the order of the arms, whoever runs them.

    Raises:
        TraceError: a world cannot be drawn.
    """
    shapes = [_shape_of(arm) for arm in arms]
    hosts = sum(shape.hosts for shape in shapes)
    sizes = [_hosts_a_job(shape, hosts, crew.workers) for shape in shapes]
    results = crew.results(_jobs(arms, sizes))
    finished = 0
    for arm, shape, size in zip(arms, shapes, sizes, strict=True):
        parts = []
        for first in range(0, shape.hosts, size):
            parts.append(next(results))
            finished += min(size, shape.hosts - first)
            if done is not None:
                done(finished / hosts)
        whole = joined(parts)
        yield ArmResult(
            arm=arm,
            summary=summarised(whole.outcome, span_s=shape.span_s),
            outcome=whole.outcome,
            series=whole.series,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    hosts: int
    span_s: float
    host_bytes: int  # of demand


def _shape_of(arm: Arm) -> _Shape:
    vms = len(drawn_vms(arm.trace, arm.draw))
    first, end = arm.draw.samples or (0, arm.trace.samples)
    return _Shape(
        hosts=vms // arm.draw.guests_a_host,
        span_s=(end - first) * arm.trace.sample_s,
        host_bytes=(end - first) * arm.draw.guests_a_host * np.dtype(np.int64).itemsize,
    )


def _hosts_a_job(shape: _Shape, hosts: int, workers: int) -> int:
    most = (JOB_BYTES_MAX if workers > 1 else ALONE_BYTES_MAX) // max(1, shape.host_bytes)
    shared = shape.hosts if workers == 1 else -(-hosts // (JOBS_A_WORKER * workers))
    return max(1, min(shape.hosts, shared, most))


def _jobs(arms: Sequence[Arm], sizes: Sequence[int]) -> Iterator[FleetJob]:
    for arm, size in zip(arms, sizes, strict=True):
        if isinstance(arm.trace, FleetRecipe):
            yield from _drawn_there(arm, arm.trace, size)
            continue
        world = arm.world()
        look = Look(looks=arm.looks, host=tightest_host(world)[0] if arm.looks else 0)
        yield from jobs_of(world, arm.policy, look, hosts_a_job=size, is_compiled=arm.is_compiled)


def _drawn_there(arm: Arm, recipe: FleetRecipe, size: int) -> Iterator[FleetJob]:
    """Jobs that draw their own hosts: nobody ever has the demand of all of them."""
    hosts = _shape_of(arm).hosts
    parts = [(first, min(hosts, first + size)) for first in range(0, hosts, size)]
    look = Look(looks=arm.looks, host=_tightest(arm, parts) if arm.looks else 0)
    for part in parts:
        yield FleetJob(
            hosts=WorldRecipe(
                source=recipe,
                draw=arm.draw,
                overcommit_ratio=arm.overcommit_ratio,
                tick_s=arm.tick_s,
                full=arm.full,
                hosts=part,
            ),
            first_host=part[0],
            policy=arm.policy,
            look=look,
            is_compiled=arm.is_compiled,
        )


def _tightest(arm: Arm, parts: Sequence[tuple[int, int]]) -> int:
    """As of all hosts at once, a part after the other."""
    found = [(part[0], tightest_host(arm.world(part))) for part in parts]
    first, (host, _) = max(found, key=lambda one: one[1][1])
    return first + host
