"""Whoever asks for one verb does not wait for what others need."""

import subprocess
import sys

import pytest

from aerostat.cli.verbs import MODULES

HEAVY_OF_OURS = {"aerostat.config", "aerostat.store", "aerostat.engine", "aerostat.lab"}
HEAVY = {"fastapi", "numpy", "pyarrow", "textual", "numba", *HEAVY_OF_OURS}

CODE = """
import sys
from typer.testing import CliRunner
from aerostat.cli.main import app
print(repr(CliRunner().invoke(app, sys.argv[1:]).exception))
print(*sys.modules)
"""


def imported(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True
    )
    ended, modules = done.stdout.splitlines()
    assert "UnreachableError" in ended
    return set(modules.split())


@pytest.mark.parametrize("verb", ["status", "show ada", "admit ada 1GiB"])
def test_to_ask_a_daemon_takes_no_more_than_that(verb: str) -> None:
    assert not HEAVY & imported(*verb.split(), "--socket", "/nonexistent")


def test_completing_a_verb_imports_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AEROSTAT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "aerostat stat")
    monkeypatch.setenv("COMP_CWORD", "1")
    code = "import sys; sys.argv = ['aerostat']; from aerostat.cli.main import app\n"
    code += "try: app(prog_name='aerostat')\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["status"]
    assert not HEAVY & set(done.stderr.split())


def test_every_verb_is_where_it_is_said_to_be() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aerostat", "--help"], capture_output=True, text=True, check=True
    )
    assert all(f" {name} " in done.stdout for name in MODULES)
