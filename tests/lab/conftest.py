"""Real guests for tests: their image, where they run, and patience with a deadline."""

import os
import shutil
from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage, build_image


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """The cache that the scripts use."""
    return Path(os.environ.get("AEROSTAT_CACHE", Path(__file__).parents[2] / ".cache"))


@pytest.fixture(scope="session")
def image(cache_dir: Path) -> GuestImage:
    """The lab's guest, built if it is not in the cache."""
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed: apt-get install qemu-system-x86")
    return build_image(cache_dir, print)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """An empty directory for a machine's files."""
    directory = tmp_path / "run"
    directory.mkdir()
    return directory
