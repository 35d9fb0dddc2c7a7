"""Builds the Debian package of this checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def built_package(output: Path) -> Path:
    """The package, in this folder; a test is skipped where there is no dpkg."""
    for program in ("dpkg-deb", "dpkg"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian has it)")
    command = [sys.executable, str(ROOT / "package" / "build.py"), "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = output.glob("*.deb")
    return built
