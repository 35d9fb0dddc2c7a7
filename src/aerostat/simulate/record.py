"""A scenario's run as a recording: what a daemon would have written, for replay and plan."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from aerostat import __version__
from aerostat.ports.journal import RoundRecord
from aerostat.simulate.scenario_job import ScenarioJob
from aerostat.simulate.worlds import ScenarioWorld, World, WorldError
from aerostat.store.kept import Session
from aerostat.store.recording.parts import Part
from aerostat.store.recording.write import RecordingWriter
from aerostat.store.tape.engine_digest import engine_digest


def recorded_job(worlds: Sequence[World], seeds: Sequence[int] | None) -> ScenarioJob:
    """The one run that a recording can be of.

    Raises:
        WorldError: there is none, or more than one.
    """
    world = worlds[0]
    runs = len(worlds) * len(seeds or (None,))
    if not isinstance(world, ScenarioWorld) or runs != 1 or len(world.policies) != 1:
        raise WorldError("--record takes one scenario under one policy: fleets have no rounds")
    seed = seeds[0] if seeds else None
    return ScenarioJob(scenario=world.scenario, policy=world.policies[0], seed=seed)


def write_recording(job: ScenarioJob, path: Path) -> int:
    """Play it once more, which comes to the same, and write down every round; how many.

    Raises:
        WorldError: the daemon of the scenario had none.
        StoreError: the file cannot be written.
        MissingLibraryError: pyarrow is not installed.
    """
    rounds = job.played().recording.rounds
    if not rounds:
        raise WorldError("no round was played: there is nothing to record")
    with RecordingWriter(path) as writer:
        for number, part in enumerate(_in_a_row(rounds), start=1):
            session = Session(
                number=number,
                started_wall_s=part[0].snapshot.wall_s,
                aerostat=__version__,
                configuration=None,
            )
            writer.write(
                Part(
                    session=number,
                    engine=engine_digest(),
                    state=part[0].state,
                    params=part[0].params,
                    rounds=part,
                ),
                session,
            )
    return writer.rounds


def _in_a_row(rounds: Sequence[RoundRecord]) -> Iterator[tuple[RoundRecord, ...]]:
    """Cut where a daemon started anew or was told something else."""
    part: list[RoundRecord] = []
    for record in rounds:
        if part and (record.number != part[-1].number + 1 or record.params != part[-1].params):
            yield tuple(part)
            part = []
        part.append(record)
    yield tuple(part)
