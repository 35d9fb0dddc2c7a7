"""The tape: every round comes back exactly as it was, with all it takes to decide it again."""

import json
import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from aerostat.engine.params import EngineParams, GuardRule
from aerostat.engine.state import EngineState
from aerostat.engine.step import step
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.limits import Amount, DeclaredLimits, GuestLimits, LimitRule
from aerostat.model.plan import GuestTrace
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES
from aerostat.ports.journal import RoundRecord
from aerostat.store import Retention, Store, StoreError, TapePart, file, open_store
from aerostat.store.schema import schema_text
from aerostat.store.tape.chunk import CHUNK_S, ChunkBuilder, ChunkError, read_chunk
from aerostat.store.tape.flat import columns_of, row_of, value_from
from aerostat.store.tape.plain import plain, state_of, value_of
from aerostat.store.writing import RoundWriter
from builders import Guest, World
from recorded_rounds import Recorder, put, wait_until
from simulated_daemon import TIGHT, simulated_rounds
from store.test_round_trip import EVER, snapshots, traces

HOUR = Retention(tape_s=3600.0)


def bare(record: RoundRecord) -> RoundRecord:
    """What a tape gives back of a round: state and parameters stand at the beginning of a part."""
    return replace(record, state=None, params=None, events=tuple(record.events))


def chunks_of(records: list[RoundRecord]) -> list[bytes]:
    builder, payloads = ChunkBuilder(records[0]), []
    for record in records[1:]:
        if builder.follows(record):
            builder.add(record)
        else:
            payloads.append(builder.chunk().payload)
            builder = ChunkBuilder(record)
    return [*payloads, builder.chunk().payload]


def taped(path: Path, records: list[RoundRecord], retention: Retention = HOUR) -> list[TapePart]:
    with Store(path, retention=retention, configuration="{}") as store:
        put(store, records)
        wait_until(lambda: store.waiting() == 0, "all rounds are taken")
    with open_store(path) as reader:
        return list(reader.tape(**EVER))


def little() -> Recorder:
    return Recorder(world=World(guests=[Guest(name=name) for name in "ab"]))


def test_rounds_of_guests_that_come_go_and_reset_come_back_exactly() -> None:
    records = simulated_rounds(140.0)
    read = [read_chunk(payload) for payload in chunks_of(records)]
    assert [one for _, rounds in read for one in rounds] == [bare(record) for record in records]
    assert len(read) >= 3
    number = 0
    for beginning, rounds in read:
        assert beginning.state == records[number].state
        assert beginning.params == records[number].params
        number += len(rounds)


@given(snapshot=snapshots)
def test_any_snapshot_comes_back_from_its_row(snapshot: object) -> None:
    row = row_of(snapshot)
    assert value_from(GuestSnapshot, row) == snapshot
    assert set(row) <= {column.name for column in columns_of(GuestSnapshot)}


@pytest.mark.parametrize(
    "declared",
    [
        DeclaredLimits(weight=200),
        DeclaredLimits(is_managed=False),
        DeclaredLimits(minimum=Amount(size_bytes=1), maximum=Amount(max_ratio=0.5)),
    ],
)
def test_what_is_declared_at_a_vm_comes_back(declared: DeclaredLimits) -> None:
    snapshot = GuestSnapshot(
        guest=GuestId("g"), name="g", run_state=RunState.RUNNING, declared=declared
    )
    assert value_from(GuestSnapshot, row_of(snapshot)) == snapshot


def test_the_tags_of_a_vm_come_back() -> None:
    snapshot = GuestSnapshot(
        guest=GuestId("g"), name="g", run_state=RunState.RUNNING, tags=("prod", "a b")
    )
    assert value_from(GuestSnapshot, row_of(snapshot)) == snapshot


@given(trace=traces)
def test_any_trace_comes_back_from_its_row(trace: object) -> None:
    assert value_from(GuestTrace, row_of(trace)) == trace


@pytest.mark.parametrize("policy", [*BASELINES, PolicyName.ADAPTIVE, PolicyName.STATIC])
def test_the_memory_of_every_policy_comes_back(policy: PolicyName) -> None:
    """A baseline keeps columns of its own, of a type of its own."""
    params = EngineParams(policy=policy, known_demands={"a": (1, 2)})
    world = World(guests=[Guest(name=name) for name in "ab"], params=params)
    world.rounds(60)
    assert state_of(plain(world.state)) == world.state
    if policy in BASELINES:
        assert type(state_of(plain(world.state)).peer) is type(world.state.peer)


def test_parameters_of_every_kind_come_back() -> None:
    rules = (
        LimitRule(name_glob="db-*", limits=GuestLimits(maximum=Amount(size_bytes=5), weight=7)),
        LimitRule(name_glob="x", limits=GuestLimits(is_managed=False)),
        LimitRule(tag_glob="prod", limits=GuestLimits(weight=3)),
    )
    told = replace(
        TIGHT,
        rules=rules,
        rules_off=frozenset({GuardRule.STEP, GuardRule.FLOOR}),
        known_demands={"a": (1, 2)},
        policy_period_s=3.0,
    )
    assert value_of(EngineParams, plain(told)) == told


def test_the_store_keeps_every_round_where_it_is_told_to(tmp_path: Path) -> None:
    records = little().rounds(400)
    parts = taped(tmp_path / "a.db", records)
    assert [one for part in parts for one in part.rounds] == [bare(record) for record in records]
    assert {part.engine is not None and len(part.engine) for part in parts} == {16}
    assert {part.session.configuration for part in parts} == {"{}"}


def test_nothing_is_taped_unless_asked_for(tmp_path: Path) -> None:
    assert taped(tmp_path / "a.db", little().rounds(400), Retention()) == []


def test_a_round_that_got_lost_begins_a_new_part_with_the_state_of_then(tmp_path: Path) -> None:
    records = little().rounds(100)
    del records[40]
    parts = taped(tmp_path / "a.db", records)
    assert [len(part.rounds) for part in parts] == [40, 59]
    assert parts[1].state == records[40].state


def test_an_engine_that_began_afresh_begins_a_new_part(tmp_path: Path) -> None:
    """After rounds that failed the daemon forgets everything; its numbers go on."""
    recorder = little()
    first = recorder.rounds(20)
    recorder.world.state = EngineState()
    parts = taped(tmp_path / "a.db", first + recorder.rounds(20))
    assert [len(part.rounds) for part in parts] == [20, 20]
    assert not parts[1].state.has_run


def test_parameters_that_change_begin_a_new_part(tmp_path: Path) -> None:
    recorder = little()
    first = recorder.rounds(20)
    recorder.world.params = replace(recorder.world.params, round_s=2.0)
    parts = taped(tmp_path / "a.db", first + recorder.rounds(20))
    assert [part.params.round_s for part in parts] == [0.5, 2.0]


def test_old_parts_are_deleted_and_the_rest_of_the_store_stays(tmp_path: Path) -> None:
    records = little().rounds(1000)  # 500 seconds
    parts = taped(tmp_path / "a.db", records, Retention(tape_s=3 * CHUNK_S))
    first_s = parts[0].rounds[0].snapshot.wall_s
    last_s = records[-1].snapshot.wall_s
    assert CHUNK_S <= last_s - first_s <= 6 * CHUNK_S
    with open_store(tmp_path / "a.db") as reader:
        kept = list(reader.rounds(**EVER))
    assert kept[0].number == 1


def test_the_tape_takes_half_of_the_room_at_most(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    small = Retention(tape_s=1e9, size_bytes_max=60_000)
    taped(path, little().rounds(1200), small)
    with closing(sqlite3.connect(path)) as connection:
        ((size,),) = connection.execute("SELECT sum(length(payload)) FROM tape").fetchall()
    # Upkeep runs once a minute, and a part is written once a minute.
    assert 0 < size <= 30_000 + 20_000


def test_an_older_file_gets_the_tape_when_a_daemon_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    records = little().rounds(30)
    taped(path, records, Retention())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE tape")
    with open_store(path) as reader:
        assert list(reader.tape(**EVER)) == []
    parts = taped(path, records)
    assert [one for part in parts for one in part.rounds] == [bare(record) for record in records]
    with closing(sqlite3.connect(":memory:")) as model, closing(sqlite3.connect(path)) as now:
        model.executescript(schema_text())
        wanted = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
        assert now.execute(wanted).fetchall() == model.execute(wanted).fetchall()


def test_a_damaged_part_is_told_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    taped(path, little().rounds(30))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE tape SET payload = substr(payload, 1, 100)")
        connection.commit()
    with open_store(path) as reader, pytest.raises(StoreError, match=r"from 20.* on: .* damaged"):
        list(reader.tape(**EVER))


def test_a_part_of_another_version_is_refused() -> None:
    (payload,) = chunks_of(little().rounds(3))
    written = json.loads(zlib.decompress(payload))
    written["version"] = 99
    with pytest.raises(ChunkError, match="version 99"):
        read_chunk(zlib.compress(json.dumps(written).encode()))


def test_a_chunk_that_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    """A full disk loses rounds, and says so; what was taped before it is not lost with them."""
    connection, _ = file.open_for_writing(tmp_path / "a.db")
    with closing(connection):
        writer = RoundWriter(connection, aerostat="1", configuration=None)
        builder = ChunkBuilder(little().round())
        connection.execute("PRAGMA query_only = ON")
        with pytest.raises(sqlite3.Error):
            writer.write_chunk(builder.chunk())
        assert writer.session is None
        connection.execute("PRAGMA query_only = OFF")
        writer.write_chunk(builder.chunk())
        assert connection.execute("SELECT count(*) FROM tape").fetchall() == [(1,)]


def test_deciding_again_from_a_part_gives_the_same(tmp_path: Path) -> None:
    """What the whole is for."""
    records = simulated_rounds(100.0)
    for part in taped(tmp_path / "a.db", records):
        state = part.state
        for round_ in part.rounds:
            again = step(state, round_.snapshot, round_.events, part.params)
            state = again.state
            assert again.trace == round_.trace
            assert again.plan == round_.plan
