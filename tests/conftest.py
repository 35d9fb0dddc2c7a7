"""What holds for every test: none leaves anything in the system's own places."""

from collections.abc import Iterator, Sequence

import pytest

from deadlines import REAL_GUESTS_S


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Real guests are waited for longer than anything else."""
    for item in items:
        if item.get_closest_marker("lab") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(REAL_GUESTS_S))


@pytest.fixture(scope="session", autouse=True)
def _own_state_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Daemons of a test run, also those in processes of their own, remember in its own place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEROSTAT_STATE", str(tmp_path_factory.mktemp("state")))
        yield
