"""Who runs jobs: this process, all cores, or a Dask cluster. Results come in the jobs' order.

Jobs are made as they are needed and results handed on as they come, so that a long list of either
is never in memory at once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

ResultT_co = TypeVar("ResultT_co", covariant=True)
ResultT = TypeVar("ResultT")

AHEAD = 3
"""Jobs under way or waiting for each worker: enough that none is idle."""


class Job(Protocol[ResultT_co]):
    """A value that can be sent anywhere and run there."""

    def run(self) -> ResultT_co:
        """Run it; the same job gives the same result."""


class Crew(Protocol):
    """Whoever runs jobs."""

    @property
    def workers(self) -> int:
        """How many jobs can be under way at once."""

    def results(self, jobs: Iterable[Job[ResultT]]) -> Iterator[ResultT]:
        """Run jobs; their results, in the jobs' order."""


class Alone:
    """This process."""

    workers = 1

    def results(self, jobs: Iterable[Job[ResultT]]) -> Iterator[ResultT]:
        """Run them one after the other."""
        return (job.run() for job in jobs)


class Cores:
    """Processes of this machine."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def results(self, jobs: Iterable[Job[ResultT]]) -> Iterator[ResultT]:
        """Run them side by side."""
        # Spawned: a compiler's threads and locks do not survive a fork.
        pool = ProcessPoolExecutor(self.workers, mp_context=get_context("spawn"))
        try:
            yield from in_order(jobs, lambda job: pool.submit(run_job, job), AHEAD * self.workers)
        finally:
            pool.shutdown(cancel_futures=True)


def run_job(job: Job[ResultT]) -> ResultT:
    """Run a job that has been sent here."""
    return job.run()


def in_order(
    jobs: Iterable[Job[ResultT]], submit: Callable[[Job[ResultT]], Any], ahead: int
) -> Iterator[ResultT]:
    """Keep so many jobs submitted, and hand out what came of the oldest."""
    waiting: deque[Future[ResultT]] = deque()
    for job in jobs:
        waiting.append(submit(job))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def crew_of(workers: int) -> Crew:
    """This process where one worker is enough, processes otherwise."""
    return Alone() if workers == 1 else Cores(workers)
