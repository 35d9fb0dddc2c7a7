"""``aerostat replay``: both forms, exit statuses, and sentences for what is no recording."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from aerostat.cli.main import app
from aerostat.store.recording import parts
from daemon_process import aerostat
from replay.recordings import RECORDED, record
from simulated_daemon import simulated_rounds

pytestmark = pytest.mark.slow  # a process a case

parquet: Any = pytest.importorskip("pyarrow.parquet")
SCHEMA = json.loads(
    resources.files("aerostat.cli").joinpath("replay.schema.json").read_text("utf-8")
)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("recorded")
    rounds = simulated_rounds(80.0, params=RECORDED.engine_params(), guests=3)
    return record(directory, rounds, configuration=RECORDED.stored_text())


def replay(*arguments: object) -> Result:
    told = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, ["replay", *told], env={"COLUMNS": "80"})


def test_a_recording_alone_is_decided_again(recording: Path) -> None:
    result = replay(recording)
    assert result.exit_code == 0, result.output
    assert "are the same, to the last" in result.stdout
    assert "loop" not in result.stdout
    document = json.loads(replay(recording, "-o", "json").stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["reproduction"]["is_exact"]
    assert document["reproduction"]["is_same_engine"]


def test_alternatives_are_told_in_80_columns_and_as_a_document(recording: Path) -> None:
    wanted = ("--policy", "static", "--policy", "shares", "--set", "host.reserve=5%")
    result = replay(recording, *wanted)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "Open loop, static" in result.stdout
    assert "Closed loop (simulated): 3 guests" in result.stdout
    assert "nobody follows" in result.stdout, "limits are told"
    document = json.loads(replay(recording, *wanted, "-o", "json").stdout)
    jsonschema.validate(document, SCHEMA)
    assert [arm["name"] for arm in document["closed_loop"]["arms"]] == [
        "as recorded",
        "static host.reserve=5%",
        "shares host.reserve=5%",
    ]
    assert len(document["open_loop"]["alternatives"]) == 2
    assert replay(recording, *wanted, "-o", "json").stdout == json.dumps(document, indent=2) + "\n"


def test_one_loop_alone(recording: Path) -> None:
    one = json.loads(replay(recording, "--policy", "static", "--loop", "open", "-o", "json").stdout)
    assert "closed_loop" not in one
    other = json.loads(
        replay(recording, "--policy", "static", "--loop", "closed", "-o", "json").stdout
    )
    assert "open_loop" not in other


def test_decisions_that_differ_are_an_exit_status(recording: Path, tmp_path: Path) -> None:
    """Written by hand: no engine decides so."""

    table = parquet.read_table(str(recording))
    column = table.column("decided_demand_bytes").to_pylist()
    column[200] = 12345
    index = table.schema.get_field_index("decided_demand_bytes")
    metadata = parquet.read_metadata(str(recording)).metadata
    table = table.set_column(index, table.schema.field(index), [column])
    path = tmp_path / "b.parquet"
    told = {parts.METADATA_KEY: metadata[parts.METADATA_KEY]}
    parquet.write_table(table.replace_schema_metadata(told), str(path))
    result = replay(path)
    assert result.exit_code == 1
    assert "demand_bytes was 12345" in " ".join(result.stdout.split())
    assert "this must not be" in " ".join(result.stdout.split())
    document = json.loads(replay(path, "-o", "json").stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["reproduction"]["first_difference"]["recorded"] == "12345"


def test_the_verb_fails_with_a_sentence_and_a_status(tmp_path: Path, recording: Path) -> None:
    missing = aerostat("replay", str(tmp_path / "none.parquet"))
    assert (missing.returncode, missing.stdout) == (2, ""), "1 is: something is decided otherwise"
    assert "none.parquet: there is no such file" in "".join(missing.stderr.split("│\n│ "))
    wrong = aerostat("replay", str(recording), "--set", "advanced.headrom=1%")
    assert wrong.returncode == 2
    assert "did you mean" in wrong.stderr
    assert aerostat("replay", str(recording), "--policy", "unheard").returncode == 2
