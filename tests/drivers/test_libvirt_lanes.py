"""Worker threads for calls that block: bounded, and one that hangs costs only itself."""

import asyncio
import threading

import pytest

from aerostat.drivers.libvirt.errors import CallRefusedError, NoLaneError, NoReplyError
from aerostat.drivers.libvirt.lanes import Lanes


class Peer:
    """Connections by number, and calls that block until they are let go."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = threading.Semaphore(0)
        self.is_hanging = threading.Semaphore(0)
        self.go_on = threading.Event()

    def connect(self, last: int | None) -> int:
        if last is not None:
            return last
        self.opened += 1
        return self.opened

    def disconnect(self, _connection: int | None) -> None:
        self.closed.release()

    def hang(self, connection: int) -> int:
        self.is_hanging.release()
        assert self.go_on.wait(20)
        return connection

    def lanes(self, bound: int) -> Lanes:
        return Lanes(self.connect, self.disconnect, name="test", bound=bound)


def test_a_call_that_hangs_keeps_its_lane_and_others_take_another() -> None:
    async def main() -> None:
        peer = Peer()
        lanes = peer.lanes(3)
        hanging = lanes.start(peer.hang)
        await asyncio.to_thread(peer.is_hanging.acquire)  # it has the first connection
        with pytest.raises(NoReplyError):
            await lanes.call(peer.hang, deadline_s=0.05)
        await asyncio.to_thread(peer.is_hanging.acquire)  # and it the second
        for _ in range(5):
            assert await lanes.call(lambda connection: connection, deadline_s=5.0) == 3
        assert lanes.busy == 2
        peer.go_on.set()
        assert await hanging == 1
        assert await lanes.call(lambda connection: connection, deadline_s=5.0) == 1
        assert peer.opened == 3
        lanes.close()

    asyncio.run(main())


def test_their_number_is_bounded_and_nothing_is_sent_when_all_hang() -> None:
    async def main() -> None:
        peer = Peer()
        lanes = peer.lanes(3)
        hanging = [lanes.start(peer.hang) for _ in range(3)]
        with pytest.raises(NoLaneError, match="all 3 calls"):
            lanes.start(peer.hang)
        peer.go_on.set()
        assert sorted(await asyncio.gather(*hanging)) == [1, 2, 3]
        lanes.close()

    asyncio.run(main())


def test_what_a_call_raises_comes_to_whoever_asked_and_the_lane_lives_on() -> None:
    def refuse(_connection: int) -> None:
        raise CallRefusedError(8, "no")

    async def main() -> None:
        lanes = Peer().lanes(1)
        with pytest.raises(CallRefusedError):
            await lanes.call(refuse, deadline_s=5.0)
        assert await lanes.call(lambda connection: connection, deadline_s=5.0) == 1
        lanes.close()

    asyncio.run(main())


def test_closing_ends_lanes_and_their_connections_but_waits_for_none() -> None:
    async def main() -> Peer:
        peer = Peer()
        lanes = peer.lanes(2)
        hanging = lanes.start(peer.hang)
        await lanes.call(lambda connection: connection, deadline_s=5.0)
        lanes.close()
        assert not hanging.done()
        return peer

    peer = asyncio.run(main())
    assert peer.closed.acquire(timeout=5)  # the free one
    peer.go_on.set()
    assert peer.closed.acquire(timeout=5)  # the other, though its event loop is gone
