"""Four real guests for all incidents: booted once, put at rest before each test."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from aerostat.engine.params import EngineParams
from aerostat.lab.image import GuestImage
from lab.guests_in_thread import Guests, booted_guests
from lab.incidents.balancer import Balancer, balancing
from lab.incidents.settings import BARE, SMALL_BYTES, SWAPPING, spec

STABLE = pytest.StashKey["Stable"]()
Balance = Callable[..., AbstractContextManager[Balancer]]


class Stable:
    """The guests of a session; boots others where a test has left one dead."""

    def __init__(self, image: GuestImage, new_directory: Callable[[], Path]) -> None:
        self._image = image
        self._new_directory = new_directory
        self._stack = ExitStack()
        self._guests: Guests | None = None

    def rested(self) -> Guests:
        """The guests, as if nobody had ever balanced them."""
        if self._guests is not None and not self._guests.are_well:
            self.end()
        if self._guests is None:
            specs = [spec(name) for name in (*SWAPPING, BARE)]
            booted = booted_guests(specs, self._image, self._new_directory())
            self._guests = self._stack.enter_context(booted)
        self._guests.rest(SMALL_BYTES)
        return self._guests

    def end(self) -> None:
        self._guests = None
        self._stack.close()


@pytest.fixture(scope="session")
def stable(
    image: GuestImage, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Stable]:
    booted = Stable(image, lambda: tmp_path_factory.mktemp("vms"))
    pytestconfig.stash[STABLE] = booted
    try:
        yield booted
    finally:
        booted.end()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last incident the guests end: those of other tests need the processors."""
    booted = item.config.stash.get(STABLE, None)
    here = Path(__file__).parent
    if booted is not None and (nextitem is None or here not in nextitem.path.parents):
        booted.end()


@pytest.fixture
def guests(stable: Stable) -> Guests:
    """Everybody at its max, small, serving, and reporting to nobody."""
    return stable.rested()


@pytest.fixture
def balance(guests: Guests) -> Balance:
    """Balances some of the guests for the length of a block."""

    def start(params: EngineParams, *names: str) -> AbstractContextManager[Balancer]:
        return balancing([guests.socket(name) for name in names], params)

    return start
