"""QEMUs without guests, and daemons to look after them; all end with their test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_process import Daemons, daemons
from qemu_process import Fleet, fleet_in


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """QEMUs that are killed when the test is over."""
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed (Debian: qemu-system-x86)")
    with fleet_in(tmp_path) as started:
        yield started


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Daemons]:
    """Starts daemons that are killed when the test is over."""
    with daemons(tmp_path) as started:
        yield started
