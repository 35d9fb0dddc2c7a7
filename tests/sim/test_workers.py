"""Processes of this machine: one that is killed costs time and not results."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from aerostat.sim.workers import LOSSES_MAX, Cores, WorkerLostError


@dataclass(frozen=True)
class Deadly:
    """Number ``one`` ends its process so many times, counted by files; the others do not."""

    folder: Path
    number: int
    deaths: int

    def run(self) -> int:
        """Die, or say its number."""
        died = len(list(self.folder.iterdir()))
        if self.number == 1 and died < self.deaths:
            (self.folder / str(died)).touch()
            os._exit(1)
        return self.number


@pytest.mark.timeout(120)
def test_a_process_that_is_killed_is_replaced_and_its_jobs_run_again(tmp_path: Path) -> None:
    jobs = [Deadly(folder=tmp_path, number=number, deaths=2) for number in range(9)]
    assert list(Cores(2).results(jobs)) == list(range(9))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.timeout(120)
def test_a_job_that_kills_every_process_is_given_up_with_what_to_do(tmp_path: Path) -> None:
    jobs = [Deadly(folder=tmp_path, number=1, deaths=100)]
    with pytest.raises(WorkerLostError, match="was there memory for all of them"):
        list(Cores(2).results(jobs))
    assert len(list(tmp_path.iterdir())) == LOSSES_MAX + 1
