"""From a store to a recording."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from aerostat.store.errors import StoreError
from aerostat.store.kept import Session
from aerostat.store.reader import StoreReader
from aerostat.store.recording.parts import Part
from aerostat.store.recording.write import RecordingWriter

THINNED_ROUNDS = 500
"""So many thinned rounds make a part; they stand alone anyhow."""

Told = Callable[[int, int, int], None]
"""Is told parts, rounds and guests written so far."""


def export_recording(
    reader: StoreReader,
    path: Path,
    *,
    since_wall_s: float,
    until_wall_s: float,
    is_full: bool,
    told: Told | None = None,
) -> RecordingWriter:
    """Write what a store kept of a time; returns the writer, which knows how much it was.

    Args:
        reader: the store.
        path: the file to be; it appears when all of it is written.
        since_wall_s: from here.
        until_wall_s: to here.
        is_full: rounds in full; False: those that were kept thinned.
        told: is told how far it is.

    Raises:
        StoreError: nothing was kept of that time, or a file cannot be read or written.
        MissingLibraryError: there is no pyarrow.
    """
    parts = _full if is_full else _thinned
    with RecordingWriter(path) as writer:
        for part, session in parts(reader, since_wall_s, until_wall_s):
            writer.write(part, session)
            if told is not None:
                told(writer.parts, writer.rounds, writer.guests)
        if writer.rounds == 0:
            raise StoreError(
                reader.path,
                "no round was recorded in full in that time: run the daemon with --record 1h, or "
                "export what was kept thinned, with --thinned"
                if is_full
                else "no round was kept of that time",
            )
    return writer


def _full(reader: StoreReader, since_s: float, until_s: float) -> Iterator[tuple[Part, Session]]:
    for taped in reader.tape(since_wall_s=since_s, until_wall_s=until_s):
        part = Part(
            session=taped.session.number,
            engine=taped.engine,
            state=taped.state,
            params=taped.params,
            rounds=taped.rounds,
        )
        yield part, taped.session


def _thinned(reader: StoreReader, since_s: float, until_s: float) -> Iterator[tuple[Part, Session]]:
    for session in reader.sessions(since_wall_s=0.0, until_wall_s=until_s):
        rounds = reader.rounds_of(session, since_wall_s=since_s, until_wall_s=until_s)
        while some := tuple(islice(rounds, THINNED_ROUNDS)):
            part = Part(session=session.number, engine=None, state=None, params=None, rounds=some)
            yield part, session
