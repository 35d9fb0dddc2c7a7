"""What holds for every test: none leaves anything in the system's own places."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_state_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Daemons of a test run, also those in processes of their own, remember in its own place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEROSTAT_STATE", str(tmp_path_factory.mktemp("state")))
        yield
