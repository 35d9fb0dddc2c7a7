"""The plain world: ours, numpy's and SimPy's models of it come to the same, guest by guest."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from aerostat.sim.fleet import plain_ticks
from aerostat.sim.fleet.draw import Draw, drawn_world
from aerostat.sim.fleet.kinds import synthetic_fleet
from aerostat.sim.fleet.plain import plain_loop, plain_world
from aerostat.sim.fleet.plain_ticks import PlainWorld

BENCH = Path(__file__).parents[3] / "bench"


def peers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plain_peers", BENCH / "plain_peers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def world(kind: str, overcommit: float) -> PlainWorld:
    trace = synthetic_fleet(kind, seed=2, vms=24, days=0.05)
    draw = Draw(seed=1, hosts=3, guests_a_host=8)
    return plain_world(drawn_world(trace, draw, overcommit_ratio=overcommit))


@pytest.mark.parametrize(("kind", "overcommit"), [("boot-storm", 3.0), ("bursty", 6.0)])
def test_three_models_of_one_world_agree(kind: str, overcommit: float) -> None:
    """To the last MiB, in a world where guests lack memory and hosts run out of it."""
    ours, numpys, simpys = (world(kind, overcommit) for _ in range(3))
    plain_ticks.run_ticks(ours)
    peers().with_numpy(numpys)
    peers().with_simpy(simpys)
    for other in (numpys, simpys):
        assert np.array_equal(ours.actual_mib, other.actual_mib)
        assert np.array_equal(ours.lacked_mib, other.lacked_mib)
    assert np.asarray(ours.lacked_mib).sum() > 0
    held = np.asarray(ours.actual_mib).reshape(3, 8).sum(axis=1)
    assert (held <= np.asarray(ours.supply_mib)).all()


@pytest.mark.slow
def test_the_compiled_loop_is_the_same() -> None:
    interpreted, compiled = world("bursty", 6.0), world("bursty", 6.0)
    plain_ticks.run_ticks(interpreted)
    plain_loop()(compiled)
    assert np.array_equal(interpreted.actual_mib, compiled.actual_mib)
    assert np.array_equal(interpreted.lacked_mib, compiled.lacked_mib)
