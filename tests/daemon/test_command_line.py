"""The verbs as a user types them: help, version, configurations good and bad, exit statuses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from aerostat import __version__
from aerostat.cli.main import app, first_of_ours
from aerostat.config import default_config
from aerostat.lab.machine import MachineError
from daemon_process import aerostat

pytestmark = pytest.mark.slow  # a process a case

EXAMPLE = Path(__file__).parents[2] / "etc" / "aerostat.toml"


def verbs_of(group: Any, path: tuple[str, ...] = ()) -> tuple[tuple[str, ...], ...]:
    """Every verb, groups and the program itself included."""
    found = [path]
    for name, command in group.commands.items():
        is_group = hasattr(command, "commands")
        found += verbs_of(command, (*path, name)) if is_group else [(*path, name)]
    return tuple(found)


VERBS = verbs_of(typer.main.get_command(app))


def test_the_version_is_the_packages() -> None:
    done = aerostat("--version")
    assert (done.returncode, done.stdout) == (0, f"aerostat {__version__}\n")


def test_the_verbs_are_those_of_the_documentation() -> None:
    names = {" ".join(path) for path in VERBS}
    assert names >= {"demo", "run", "config check", "config show"}


@pytest.mark.parametrize("path", VERBS, ids=lambda path: " ".join(("aerostat", *path)))
def test_every_verb_has_help(path: tuple[str, ...]) -> None:
    done = aerostat(*path, "--help")
    assert done.returncode == 0
    assert "Usage: " in done.stdout
    assert "--help" in done.stdout
    assert done.stderr == ""


def test_an_unknown_verb_is_wrong_usage() -> None:
    done = aerostat("balance")
    assert done.returncode == 2
    assert "No such command 'balance'" in done.stderr


def test_a_good_configuration_is_told_to_be_good() -> None:
    done = aerostat("config", "check", str(EXAMPLE))
    assert (done.returncode, done.stdout) == (0, f"{EXAMPLE}: good\n")


def test_a_bad_configuration_is_refused_with_every_problem_and_its_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(
        "mode = 1\n"
        "[guests]\n"
        'min = "2GiB"\n'
        'max = "1GiB"\n'
        "[[guest]]\n"
        'name = "db-*"\n'
        'maximum = "4GiB"\n'
    )
    for arguments in (("check", str(bad)), ("show", "-c", str(bad))):
        done = aerostat("config", *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        found = re.findall(r"bad\.toml:(\d+): ([\w\[\].]+):", done.stderr)
        assert ("1", "mode") in found
        assert ("7", "guest[0].maximum") in found


def test_a_configuration_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('[guests]\nmin = "2GiB"\nmax = "1GiB"\n')
    done = aerostat("config", "check", str(bad))
    assert done.returncode == 2
    assert f"{bad}:3: guests.max: min 2GiB is above max 1GiB" in done.stderr


@pytest.mark.parametrize("kind", ["missing", "directory", "not TOML"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "aerostat.toml"
    if kind == "directory":
        path.mkdir()
    elif kind == "not TOML":
        path.write_text('mode = "observe"\nhost budget\n')
    done = aerostat("config", "check", str(path))
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
    if kind == "not TOML":
        assert f"{path}:2:" in done.stderr


def test_show_prints_every_setting_as_json_with_where_it_comes_from(tmp_path: Path) -> None:
    config = tmp_path / "aerostat.toml"
    config.write_text('policy = "static"\n[host]\nbudget = "4GiB"\n')
    done = aerostat("config", "show", "-c", str(config), "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["schema"] == "aerostat.config/1"
    rows = {row["key"]: row for row in document["settings"]}
    assert {setting.key for setting in default_config().settings()} <= set(rows)
    assert rows["mode"] == {"key": "mode", "value": '"observe"', "origin": "default"}
    assert rows["host.budget"]["value"] == '"4GiB"'
    assert rows["host.budget"]["origin"] == f"{config}:3"
    assert all(set(row) == {"key", "value", "origin"} for row in rows.values())


def test_show_at_80_columns_has_the_lines_that_values_come_from(tmp_path: Path) -> None:
    config = tmp_path / f"{'long' * 12}.toml"
    config.write_text('policy = "static"\n[host]\nbudget = "4GiB"\n')
    done = aerostat("config", "show", "-c", str(config), environment={"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()[1:]) <= 80
    columns = "".join(line[-30:] for line in done.stdout.splitlines())
    assert ".toml:3" in "".join(columns.split())


def test_show_takes_a_file_or_a_daemon() -> None:
    done = aerostat("config", "show", "-c", "/a.toml", "--socket", "/a.sock")
    assert (done.returncode, "give no --socket" in done.stderr) == (2, True)
    done = aerostat("config", "show", "--socket", "/nowhere/a.sock")
    assert (done.returncode, "no daemon answers" in done.stderr) == (3, True)


def test_show_without_a_daemon_and_a_file_prints_the_defaults() -> None:
    done = aerostat("config", "show")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r'^ *mode +"observe" +default *$', done.stdout, re.MULTILINE)
    document = json.loads(aerostat("config", "show", "-o", "json").stdout)
    assert {row["origin"] for row in document["settings"]} == {"default"}


def test_an_unknown_output_format_is_wrong_usage() -> None:
    assert aerostat("config", "show", "-o", "xml").returncode == 2


def test_an_error_of_ours_from_among_tasks_is_a_sentence_and_anything_else_a_trace() -> None:
    ours, other = MachineError("ada did not boot"), ZeroDivisionError()
    assert first_of_ours(ExceptionGroup("", [ExceptionGroup("", [ours]), ours])) is ours
    assert first_of_ours(ExceptionGroup("", [ours, other])) is None
    assert first_of_ours(ExceptionGroup("", [other])) is None
