"""``pipx install .``: an environment of its own, nothing but what the wheel asks for."""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def aerostat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as somebody has it who installed it: by pipx, or by pip where there is none."""
    home = tmp_path_factory.mktemp("home")
    if (pipx := shutil.which("pipx")) is not None:
        where = {"PIPX_HOME": str(home / "pipx"), "PIPX_BIN_DIR": str(home / "bin")}
        ran(pipx, "install", "--python", sys.executable, str(ROOT), environment=where)
        return home / "bin" / "aerostat"
    ran(sys.executable, "-m", "venv", str(home / "venv"))
    ran(str(home / "venv/bin/pip"), "install", "--quiet", str(ROOT))
    return home / "venv/bin/aerostat"


def test_it_knows_its_version(aerostat: Path) -> None:
    assert ran(str(aerostat), "--version").startswith("aerostat ")


def test_the_configuration_that_comes_along_is_good(aerostat: Path) -> None:
    assert "good" in ran(str(aerostat), "config", "check", str(ROOT / "etc" / "aerostat.toml"))


def test_the_doctor_looks_around(aerostat: Path) -> None:
    """It finds what is missing here, and does not fall over it."""
    ran(str(aerostat), "doctor", statuses={0, 1})


def test_files_beside_the_code_came_along(aerostat: Path, tmp_path: Path) -> None:
    """Pages, schemas, schedules: a demo needs most of them."""
    ran(str(aerostat), "demo", "--simulated", "--seconds", "60", "--quiet",
        "--directory", str(tmp_path))  # fmt: skip
    assert (tmp_path / "aerostat-demo.html").exists()


def test_verbs_that_need_more_say_what(aerostat: Path) -> None:
    """Extras that are missing are a sentence, not a trace."""
    said = ran(str(aerostat), "simulate", "mixed", statuses={1, 2})
    assert "pip install '.[sim]'" in said
    assert "Traceback" not in said


def ran(
    *command: str,
    statuses: Collection[int] = (0,),
    environment: Mapping[str, str] | None = None,
) -> str:
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        env={**own, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode in statuses, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
    return done.stdout
