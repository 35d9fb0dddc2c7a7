"""Hosts for tests of the API."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.live import Live, live


@pytest.fixture(scope="session")
def host() -> Iterator[Live]:
    """One host for all tests that leave it as it was; its folder's name is short enough."""
    with tempfile.TemporaryDirectory() as folder, live(Path(folder)) as one:
        yield one
