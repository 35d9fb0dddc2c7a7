"""Synthetic fleets drawn in parts, where they are run: the same VMs, and the same results."""

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.draw import Draw
from aerostat.sim.fleet.job import FleetJob
from aerostat.sim.fleet.kinds import KINDS, FleetRecipe, synthetic_fleet
from aerostat.sim.fleet.tournament import Arm, run_arms
from aerostat.sim.workers import Alone, Job, ResultT

RECIPE = FleetRecipe(kind="bursty", seed=3, vms=24, days=0.05)
ARM = Arm(
    trace=RECIPE,
    policy=PolicyName.ADAPTIVE,
    draw=Draw(seed=2, hosts=6, guests_a_host=4, samples=(5, 60)),
    overcommit_ratio=4.0,
    looks=10,
    is_compiled=False,
)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mixed"])
def test_some_vms_are_drawn_as_they_are_among_all(kind: str) -> None:
    """In any order, to the last bit."""
    whole = synthetic_fleet(kind, seed=7, vms=9, days=0.013)
    chosen = np.array([8, 0, 3])
    some = synthetic_fleet(kind, seed=7, vms=9, days=0.013, chosen=chosen)
    assert some.max_bytes.tolist() == whole.max_bytes[chosen].tolist()
    assert some.used_bytes.tolist() == whole.used_bytes[chosen].tolist()
    assert some.names == tuple(whole.names[vm] for vm in chosen)


class Several(Alone):
    """This process, which hands hosts out as if it were several; it remembers the jobs."""

    workers = 3

    def __init__(self) -> None:
        self.jobs: list[object] = []

    def results(self, jobs: Iterable[Job[ResultT]]) -> Iterator[ResultT]:
        """Run them one after the other."""
        for job in jobs:
            self.jobs.append(job)
            yield job.run()


def test_a_recipe_comes_to_what_its_demand_does_in_any_parts() -> None:
    whole = synthetic_fleet(RECIPE.kind, seed=RECIPE.seed, vms=RECIPE.vms, days=RECIPE.days)
    crew = Several()
    (sent,) = run_arms([ARM], crew)
    (alone,) = run_arms([ARM], Alone())
    (carried,) = run_arms([replace(ARM, trace=whole)], Alone())
    assert len(crew.jobs) > 1
    assert sent.summary.digest == alone.summary.digest == carried.summary.digest
    assert sent.series == alone.series == carried.series
    assert [ARM.trace.vm_name(vm) for vm in range(24)] == list(whole.names)


@pytest.mark.slow
def test_a_job_of_a_recipe_is_small_however_long_its_fleet_lives() -> None:
    crew = Several()
    long = replace(ARM, trace=replace(RECIPE, vms=40, days=30.0), looks=0)
    long = replace(long, draw=Draw(seed=2, hosts=10, guests_a_host=4, samples=(0, 2)))
    list(run_arms([long], crew))
    assert all(isinstance(job, FleetJob) for job in crew.jobs)
    assert max(len(pickle.dumps(job)) for job in crew.jobs) < 4096
