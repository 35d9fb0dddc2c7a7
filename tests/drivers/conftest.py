"""A directory of real QEMUs for each test that asks for one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from qemu_process import Fleet, fleet_in


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """QEMUs that are killed when the test is over."""
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed (Debian: qemu-system-x86)")
    with fleet_in(tmp_path) as started:
        yield started
