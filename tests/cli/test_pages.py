"""docs/cli.md and the man page say what the parser says; completion completes in real shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aerostat.cli.asked import UnreachableError
from aerostat.cli.pages.man import man_page
from aerostat.cli.pages.markdown import cli_page
from aerostat.cli.pages.parser import STATUSES, verbs
from aerostat.ports.errors import AerostatError
from daemon_process import aerostat

ROOT = Path(__file__).parents[2]


def test_the_page_is_as_the_parser_is() -> None:
    written = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert written == cli_page(), "run script/docs"


def test_no_verb_and_no_option_is_without_words() -> None:
    silent = [
        f"{verb.path} {entry.written}"
        for verb in verbs()
        for entry in (*verb.arguments, *verb.options)
        if not entry.words
    ]
    assert silent == []
    assert {"run", "explain", "config check", "lab techniques", "completion"} <= {
        verb.path for verb in verbs()
    }


def test_statuses_are_those_of_the_errors() -> None:
    assert issubclass(UnreachableError, AerostatError)
    declared = {error.exit_status for error in _kinds(AerostatError)}
    assert declared <= {number for number, _ in STATUSES}


def _kinds(error: type[AerostatError]) -> list[type[AerostatError]]:
    return [error, *(kind for one in error.__subclasses__() for kind in _kinds(one))]


def test_the_man_page_has_every_verb_and_no_fault() -> None:
    page = man_page()
    for verb in verbs():
        assert f'.SS "{verb.path}"' in page
    if (groff := shutil.which("groff")) is None:
        pytest.skip("groff is not installed: the page's macros were not checked")
    command = [groff, "-ww", "-man", "-Tutf8", "-Z"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_shell_nobody_knows_is_refused() -> None:
    assert aerostat("completion", "csh").returncode == 2


@pytest.fixture
def completing(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``aerostat`` is a command."""
    command = tmp_path / "bin" / "aerostat"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aerostat "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "HOME": str(tmp_path), "TERM": "dumb"}


@pytest.mark.slow
def test_bash_completes(completing: dict[str, str]) -> None:
    script = """
    source <(aerostat completion bash)
    COMP_WORDS=(aerostat rel); COMP_CWORD=1; COMP_LINE="aerostat rel"
    _aerostat_completion aerostat
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert said("bash", script, completing).split() == ["release"]


@pytest.mark.slow
def test_zsh_completes(completing: dict[str, str]) -> None:
    """Its editor alone lists candidates: the program is asked here as zsh asks it."""
    script = """
    autoload -U compinit && compinit -u
    eval "$(aerostat completion zsh)"
    print -- "${_comps[aerostat]}"
    _TYPER_COMPLETE_ARGS="aerostat run --mode " _AEROSTAT_COMPLETE=complete_zsh aerostat
    """
    told = said("zsh", script, completing)
    assert "_aerostat_completion" in told
    for mode in ("observe", "recommend", "enforce"):
        assert mode in told


@pytest.mark.slow
def test_fish_completes(completing: dict[str, str]) -> None:
    script = """
    aerostat completion fish | source
    complete --do-complete "aerostat expl"
    """
    assert said("fish", script, completing).startswith("explain")


def said(shell: str, script: str, environment: dict[str, str]) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    quiet = {"zsh": ["-f"], "fish": ["--no-config"], "bash": ["--norc"]}[shell]
    done = subprocess.run(
        [shell, *quiet, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
