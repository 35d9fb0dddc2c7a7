"""Who runs jobs: this process, all cores, or a Dask cluster. Results come in the jobs' order.

Jobs are made as they are needed and results handed on as they come, so that a long list of either
is never in memory at once. A job is a value, so one that is lost with its worker is run again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

from aerostat.ports.errors import AerostatError

ResultT_co = TypeVar("ResultT_co", covariant=True)
ResultT = TypeVar("ResultT")

AHEAD = 3
"""Jobs under way or waiting for each worker: enough that none is idle."""
LOSSES_MAX = 3
"""So often a job may be lost under way before it is given up as the cause of it."""


class WorkerLostError(AerostatError):
    """A job was lost with its worker again and again; the message says what to look at."""


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
        """Run them side by side.

        Raises:
            WorkerLostError: a process ended under the same job again and again.
        """
        pool = self._pool()

        def submit(job: Job[ResultT]) -> Any:
            nonlocal pool
            try:
                return pool.submit(run_job, job)
            except BrokenProcessPool:  # one process that dies takes its pool with it
                pool.shutdown(cancel_futures=True)
                pool = self._pool()
                return pool.submit(run_job, job)

        try:
            yield from in_order(jobs, submit, AHEAD * self.workers, lost=(BrokenProcessPool,))
        except BrokenProcessPool as error:
            raise WorkerLostError(
                f"a process that ran a job was ended {LOSSES_MAX + 1} times ({error}); was there "
                "memory for all of them? Fewer at a time: --workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)

    def _pool(self) -> ProcessPoolExecutor:
        # Spawned: a compiler's threads and locks do not survive a fork.
        return ProcessPoolExecutor(self.workers, mp_context=get_context("spawn"))


def run_job(job: Job[ResultT]) -> ResultT:
    """Run a job that has been sent here."""
    return job.run()


def in_order(
    jobs: Iterable[Job[ResultT]],
    submit: Callable[[Job[ResultT]], Any],
    ahead: int,
    *,
    lost: tuple[type[Exception], ...],
) -> Iterator[ResultT]:
    """Keep so many jobs submitted, and hand out what came of the oldest.

    Args:
        jobs: in the order of their results.
        submit: puts a job on its way, and returns the future of its result.
        ahead: so many are on their way at once.
        lost: what the future of a job raises that was lost with its worker; it is submitted again,
            and raises in the end.
    """
    waiting: deque[tuple[Job[ResultT], Any]] = deque()
    for job in jobs:
        waiting.append((job, submit(job)))
        if len(waiting) >= ahead:
            yield _oldest(waiting, submit, lost)
    while waiting:
        yield _oldest(waiting, submit, lost)


def _oldest(
    waiting: deque[tuple[Job[ResultT], Any]],
    submit: Callable[[Job[ResultT]], Any],
    lost: tuple[type[Exception], ...],
) -> ResultT:
    job, future = waiting.popleft()
    for _ in range(LOSSES_MAX):
        try:
            result: ResultT = future.result()
        except lost:
            future = submit(job)
            again = [(one, submit(one) if _is_lost(its, lost) else its) for one, its in waiting]
            waiting.clear()
            waiting.extend(again)
        else:
            return result
    last: ResultT = future.result()
    return last


def _is_lost(future: Any, lost: tuple[type[Exception], ...]) -> bool:
    return bool(future.done()) and isinstance(future.exception(), lost)


def crew_of(workers: int) -> Crew:
    """This process where one worker is enough, processes otherwise."""
    return Alone() if workers == 1 else Cores(workers)
