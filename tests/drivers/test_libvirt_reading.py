"""However many domains hang, the others are read: the bulk call as libvirt makes it, in threads."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from aerostat.drivers.libvirt.binding import RawDomain
from aerostat.drivers.libvirt.errors import NoLaneError, NoReplyError
from aerostat.drivers.libvirt.lanes import Lanes, first_answer
from aerostat.drivers.libvirt.settings import LibvirtSettings

FIGURES = {"state.state": 1, "balloon.rss": 1}


class Libvirtd:
    """Its bulk call: waits for a domain that hangs, unless another call waits for it already."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._hung: dict[str, threading.Event] = {}
        self._waited_for: set[str] = set()
        self._lock = threading.Lock()

    def hang(self, *names: str) -> None:
        self._hung.update({name: threading.Event() for name in names})

    def wake(self) -> None:
        for event in self._hung.values():
            event.set()
        self._hung.clear()

    def read_all(self, _connection: object) -> tuple[RawDomain, ...]:
        return tuple(self._read(number, name) for number, name in enumerate(self._names))

    def _read(self, number: int, name: str) -> RawDomain:
        event = self._hung.get(name)
        with self._lock:
            waits = event is not None and name not in self._waited_for
            if waits:
                self._waited_for.add(name)
        if waits and event is not None:
            assert event.wait(30)
            self._waited_for.discard(name)
        fields = {} if event is not None and not waits else FIGURES
        return RawDomain(uuid=name, name=name, number=number, fields=fields)


def played(hung: int, *, bound: int) -> tuple[RawDomain, ...]:
    """One picture of twenty domains, of which so many have just begun to hang."""
    names = [f"vm{number}" for number in range(20)]
    libvirtd = Libvirtd(names)
    libvirtd.hang(*names[:hung])

    async def main() -> tuple[RawDomain, ...]:
        lanes = Lanes(lambda last: last or object(), lambda _: None, name="test", bound=bound)
        try:
            return await first_answer(
                lambda: lanes.start(libvirtd.read_all),
                patience_s=0.1,
                again_s=0.05,
                deadline_s=5.0,
            )
        finally:
            libvirtd.wake()
            lanes.close()

    return asyncio.run(main())


@pytest.mark.parametrize("hung", [0, 1, 8, 15])
def test_domains_that_do_not_hang_are_read(hung: int) -> None:
    found = played(hung, bound=LibvirtSettings().reading_lanes)
    assert [bool(raw.fields) for raw in found] == [False] * hung + [True] * (20 - hung)


def test_with_more_than_there_are_calls_for_nothing_is_known() -> None:
    with pytest.raises(NoReplyError):
        played(3, bound=3)


def test_where_no_call_can_be_begun_that_is_said() -> None:
    async def main() -> None:
        def begin() -> "asyncio.Future[None]":
            raise NoLaneError("all are under way")

        with pytest.raises(NoLaneError):
            await first_answer(begin, patience_s=0.1, again_s=0.1, deadline_s=1.0)

    asyncio.run(main())
