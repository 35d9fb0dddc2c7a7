"""A cluster of two workers here: the results of one machine, also when a worker is killed."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aerostat.policy.params import PolicyName
from aerostat.sim import cluster as cluster_module
from aerostat.sim.cluster import Cluster, ClusterError, cluster_at
from aerostat.sim.fleet.draw import Draw
from aerostat.sim.fleet.kinds import synthetic_fleet
from aerostat.sim.fleet.tournament import Arm, run_arms
from aerostat.sim.workers import Alone
from simulate.invoked import simulate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    # Of Dask's own threads and sockets, when its processes are ended.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")

TRACE = synthetic_fleet("bursty", seed=3, vms=32, days=0.1)


def arms() -> list[Arm]:
    return [
        Arm(
            trace=TRACE,
            policy=policy,
            draw=Draw(seed=1, hosts=8, guests_a_host=4),
            overcommit_ratio=4.0,
            looks=10,
            is_compiled=False,
        )
        for policy in (PolicyName.ADAPTIVE, PolicyName.SLACK)
    ]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        yield cluster.scheduler_address


def told(crew: Any, at: list[float] | None = None) -> list[tuple[Any, ...]]:
    done = at.append if at is not None else None
    return [
        (run.summary.digest, run.summary.unmet_ratio, run.summary.distressed_s, run.series)
        for run in run_arms(arms(), crew, done=done)
    ]


def test_a_cluster_comes_to_the_same_result_to_the_last_bit(address: str) -> None:
    shares: list[float] = []
    with cluster_at(address) as cluster:
        assert cluster.workers == 2
        assert told(cluster, shares) == told(Alone())
    assert len(shares) >= 8  # hosts were shared out


class Killing:
    """A crew that has one of its workers killed once the first result is there."""

    def __init__(self, cluster: Cluster, pid: int) -> None:
        self.workers = cluster.workers
        self._cluster = cluster
        self._pid = pid

    def results(self, jobs: Any) -> Iterator[Any]:
        for number, result in enumerate(self._cluster.results(jobs)):
            if number == 0:
                os.kill(self._pid, signal.SIGKILL)
            yield result


def test_a_lost_worker_costs_time_and_not_results(address: str) -> None:
    with distributed.Client(address, set_as_default=False) as client:
        pids = sorted(client.run(os.getpid).values())
        with cluster_at(address) as cluster:
            assert told(Killing(cluster, pids[0])) == told(Alone())
        client.wait_for_workers(2, timeout=60)
        assert pids[0] not in client.run(os.getpid).values()


@dataclass(frozen=True)
class Deadly:
    """Ends its worker so many times, counted by files, and then has a result."""

    folder: Path
    deaths: int

    def run(self) -> int:
        """Die, or say how often it did."""
        died = len(list(self.folder.iterdir()))
        if died < self.deaths:
            (self.folder / str(died)).touch()
            os._exit(1)
        return died


def test_more_losses_than_a_scheduler_bears_by_itself_cost_time_too(tmp_path: Path) -> None:
    """This one gives a job up at the first; we, whose jobs are values, send it again."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as local,
        cluster_at(local.scheduler_address) as cluster,
    ):
        assert list(cluster.results([Deadly(folder=tmp_path, deaths=2)])) == [2]


def test_a_worker_of_another_source_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version says nothing: development does not raise it."""
    monkeypatch.setattr(cluster_module, "source_digest", lambda: "another")
    with (
        pytest.raises(ClusterError, match=r"source another\).*results could differ"),
        cluster_at(address),
    ):
        pass


def test_the_command_runs_compiled_loops_on_a_cluster(address: str) -> None:
    """The digest of this machine alone, from two workers that compile for themselves."""
    asked = ("diurnal", "--hosts", "4", "--vms-per-host", "4", "--days", "0.02", "--full")
    policies = ("--policy", "slack", "--policy", "probe")  # which compile in seconds
    there = simulate(*asked, *policies, "--cluster", address, "-o", "json")
    assert there.exit_code == 0, there.output
    here = simulate(*asked, *policies, "--interpreted", "--workers", "1", "-o", "json")
    assert json.loads(there.stdout)["digest"] == json.loads(here.stdout)["digest"]
    assert json.loads(there.stdout)["machine"]["workers"] == 2


def test_nobody_there_is_told() -> None:
    with (
        pytest.raises(ClusterError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"),
        cluster_at("tcp://127.0.0.1:9"),
    ):
        pass
    with (
        pytest.raises(ClusterError, match=r"an address reads tcp://HOST:8786"),
        cluster_at("what is this"),
    ):
        pass
