"""What holds for every test: real guests get patience; nothing is left in the system's places."""

import signal
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, settings

from deadlines import REAL_GUESTS_S

# Cases of the contract are no test modules, and shall say what they saw as those do.
pytest.register_assert_rewrite("drivers.contract")

settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("explore"), derandomize=True)
settings.load_profile("same")  # `--hypothesis-profile explore` draws cases that nobody has seen

HARM = ["checksum_errors=[1-9]", "oom_kills=[1-9]", "round_failed", "ended by itself"]
"""What in a failure is never put down to a busy machine."""


def pytest_sessionstart() -> None:
    """Tests end what they start as Ctrl-C does, which a shell lets its background jobs ignore."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Real guests and processes share processors with strangers: they get time, and one more try.

    The second try shows as a rerun in the summary. A guest that lost data has no second try.
    """
    for item in items:
        is_lab = item.get_closest_marker("lab") is not None
        if is_lab or item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.flaky(reruns=1, rerun_except=HARM))
        if is_lab and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(REAL_GUESTS_S))


@pytest.fixture(scope="session", autouse=True)
def _own_state_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Daemons of a test run, also those in processes of their own, remember in its own place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEROSTAT_STATE", str(tmp_path_factory.mktemp("state")))
        yield
