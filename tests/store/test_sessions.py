"""A run of the daemon under one configuration is one session of its store."""

import time
from pathlib import Path

from aerostat.store import Retention, Store, open_store
from builders import Guest, World
from recorded_rounds import Recorder, put, wait_until


def test_another_configuration_is_another_session(tmp_path: Path) -> None:
    """What is told of a decision is told by the configuration that led to it."""
    recorder = Recorder(world=World(guests=[Guest(name="a", actual_mib=300)]))
    with Store(tmp_path / "a.db", configuration="one", retention=Retention(tape_s=60.0)) as store:
        put(store, recorder.rounds(5, elapse_s=11.0))
        wait_until(lambda: store.waiting() == 0, "they are taken")
        time.sleep(0.2)  # the last one may still be on its way
        store.use_configuration("two")
        put(store, recorder.rounds(5, elapse_s=11.0))
        wait_until(lambda: store.waiting() == 0, "they are taken")
    with open_store(tmp_path / "a.db") as reader:
        sessions = reader.sessions(since_wall_s=0.0, until_wall_s=1e12)
        assert [session.configuration for session in sessions] == ["one", "two"]
        counts = [
            len(list(reader.rounds_of(one, since_wall_s=0.0, until_wall_s=1e12)))
            for one in sessions
        ]
        assert counts == [5, 5]
        tape = reader.tape(since_wall_s=0.0, until_wall_s=1e12)
        taped = [part.session.configuration for part in tape]
        assert taped == ["one", "two"]
        guest = reader.guests()[0].guest
        seen = reader.last_seen(guest)
        assert seen is not None
        assert seen.session.configuration == "two"
