"""The program finds itself again where nothing but its own command looks, as in the package."""

import os
import subprocess
import sys
from pathlib import Path

import aerostat
from aerostat.lab.itself import itself

PACKAGED = Path(__file__).parents[3] / "package" / "debian" / "aerostat"
ASKS_ITSELF = """
import subprocess
from aerostat.lab.itself import itself
raise SystemExit(subprocess.run(itself("--version"), cwd="/", env={}).returncode)
"""


def test_it_is_this_one(tmp_path: Path) -> None:
    done = subprocess.run(
        itself("--version"), capture_output=True, text=True, cwd=tmp_path, env={}, check=False
    )
    assert done.stdout == f"aerostat {aerostat.__version__}\n", done.stderr


def test_arguments_are_handed_on_as_they_are(tmp_path: Path) -> None:
    wanted = tmp_path / "no such file.toml"
    done = subprocess.run(
        itself("config", "check", str(wanted)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no such file.toml" in done.stderr


def test_from_a_folder_that_only_the_packages_command_knows(tmp_path: Path) -> None:
    """No site-packages and no environment: ``-m aerostat`` finds nothing there."""
    command = PACKAGED.read_text("utf-8")
    known = f"sys.path[:0] = {[path for path in sys.path if path]!r}"
    command = command.replace('sys.path.insert(0, "/usr/lib/aerostat")', known)
    command = command.partition("from aerostat.cli.main")[0]
    assert known in command
    launcher = tmp_path / "aerostat"
    launcher.write_text(command + ASKS_ITSELF, "utf-8")
    bare = (os.path.realpath(sys.executable), "-I", "-S")
    missing = subprocess.run((*bare, "-m", "aerostat"), capture_output=True, check=False)
    assert missing.returncode != 0, "it is installed for the whole system: nothing is shown here"
    done = subprocess.run((*bare, str(launcher)), capture_output=True, text=True, check=False)
    assert done.stdout == f"aerostat {aerostat.__version__}\n", done.stderr
