"""A Dask cluster as a crew: hosts of a fleet are shared out over machines.

A job carries all it needs, so one whose worker is lost is run again elsewhere and comes to the same
result, to the last bit. Workers must run the same Aerostat, with the extra ``[sim]``.
"""

import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import aerostat
from aerostat.ports.errors import AerostatError
from aerostat.present.printable import printable
from aerostat.sim.fleet.kinds import synthetic_fleet
from aerostat.sim.workers import AHEAD, LOSSES_MAX, Job, ResultT, in_order, run_job

CONNECT_S = 10.0
SOURCES = ("units", "model", "policy", "engine", "sim", "simulate")
"""Parts of the package whose source decides what a job comes to."""


class ClusterError(AerostatError):
    """The cluster cannot be used, or gave up; the message says why and what to do."""


class Cluster:
    """Workers of a Dask cluster."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.workers: int = sum(client.nthreads().values())

    def results(self, jobs: Iterable[Job[ResultT]]) -> Iterator[ResultT]:
        """Run jobs on the workers.

        Raises:
            ClusterError: a job was lost with its worker again and again.
        """
        from distributed.scheduler import KilledWorker  # noqa: PLC0415 - an extra

        def submit(job: Job[ResultT]) -> Any:
            return self._client.submit(run_job, job, pure=False, retries=0)

        with warnings.catch_warnings():
            # Jobs are big on purpose: data scattered beforehand is lost with the worker it is on.
            warnings.filterwarnings("ignore", message="Sending large graph")
            try:
                # How many losses it bears by itself is the scheduler's own setting, and not ours.
                yield from in_order(jobs, submit, AHEAD * self.workers, lost=(KilledWorker,))
            except KilledWorker as error:
                raise ClusterError(
                    f"a job was lost with all its workers, {LOSSES_MAX + 1} times over: {error}; "
                    "do the workers have enough memory?"
                ) from error


@contextmanager
def cluster_at(address: str) -> Iterator[Cluster]:
    """Connect to a scheduler, for example ``tcp://10.0.0.1:8786``; leave it running.

    Raises:
        ClusterError: Dask is not installed, nobody answers, there are no workers, or they run
            another Aerostat.
    """
    if not re.fullmatch(r"[a-z]+://.+:\d+|[^/]+:\d+", address):
        raise ClusterError(f"{printable(address)!r}: an address reads tcp://HOST:8786")
    try:
        from distributed import Client  # noqa: PLC0415
    except ImportError as error:
        raise ClusterError(
            "a cluster needs Dask, which is not installed: pip install '.[plan]' in a checkout"
        ) from error
    try:
        client: Any = Client(  # type: ignore[no-untyped-call]
            address, timeout=CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address!r} within {CONNECT_S:.0f} s ({error}); "
            "an address reads tcp://HOST:8786"
        ) from error
    with client:
        _check_workers(client, address)
        yield Cluster(client)


def _check_workers(client: Any, address: str) -> None:
    try:
        makes = client.run(make)
    except (ImportError, AttributeError) as error:
        raise ClusterError(
            f"a worker of {address} cannot be used: {error}; install this Aerostat with [sim] on "
            "all of them"
        ) from error
    if not makes:
        raise ClusterError(f"the cluster at {address} has no workers: start dask workers there")
    for worker, its in sorted(makes.items()):
        if its != make():
            raise ClusterError(
                f"worker {worker} runs {its}, this is {make()}: results could differ"
            )


def make() -> str:
    """What results depend on, as it is installed here; fails without the compiler.

    Workers draw synthetic fleets themselves, and the last bit of a cosine is its processor's.
    """
    import numba  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    drawn = synthetic_fleet("diurnal", seed=1, vms=4, days=0.1)
    cosines = hashlib.sha256(drawn.used_bytes.tobytes()).hexdigest()[:8]
    return (
        f"Aerostat {aerostat.__version__} (source {source_digest()}), numba {numba.__version__}, "
        f"numpy {np.__version__} (draws {cosines})"
    )


@cache
def source_digest() -> str:
    """Stands for the source of everything that has a say in a result."""
    digest = hashlib.sha256()
    root = Path(aerostat.__file__).parent
    for part in SOURCES:
        for path in sorted((root / part).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
