"""A Dask cluster as a crew: hosts of a fleet are shared out over machines.

A job carries all it needs, so one whose worker is lost is run again elsewhere and comes to the same
result, to the last bit. Workers must run the same Aerostat, with the extra ``[sim]``.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import aerostat
from aerostat.ports.errors import AerostatError
from aerostat.sim.workers import AHEAD, Job, ResultT, in_order, run_job

CONNECT_S = 10.0
LOSSES_MAX = 10
"""So many workers may be lost under one job before it is given up as the cause of it."""


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
                yield from in_order(jobs, submit, AHEAD * self.workers)
            except KilledWorker as error:
                raise ClusterError(
                    f"a job was lost with its worker more than {LOSSES_MAX} times: {error}; "
                    "do the workers have enough memory?"
                ) from error


@contextmanager
def cluster_at(address: str) -> Iterator[Cluster]:
    """Connect to a scheduler, for example ``tcp://10.0.0.1:8786``; leave it running.

    Raises:
        ClusterError: Dask is not installed, nobody answers, there are no workers, or they run
            another Aerostat.
    """
    try:
        import dask  # noqa: PLC0415
        from distributed import Client  # noqa: PLC0415
    except ImportError as error:
        raise ClusterError(
            "a cluster needs Dask, which is not installed: pip install 'aerostat[plan]'"
        ) from error
    dask.config.set({"distributed.scheduler.allowed-failures": LOSSES_MAX})
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
        versions = client.run(_version)
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"a worker of {address} cannot be used: {error}; install aerostat[sim] on all of them"
        ) from error
    if not versions:
        raise ClusterError(f"the cluster at {address} has no workers: start dask workers there")
    for worker, version in sorted(versions.items()):
        if version != aerostat.__version__:
            raise ClusterError(
                f"worker {worker} runs Aerostat {version}, this is {aerostat.__version__}: "
                "results could differ"
            )


def _version() -> str:
    """What a worker runs; fails there without the compiler."""
    import numba  # noqa: F401, PLC0415

    return aerostat.__version__
