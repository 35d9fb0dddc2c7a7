"""One deadline for many operations ends each of them when its time is over, and no other."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from aerostat.drivers.sockets.deadline import Deadline

LIMIT_S = 0.05


async def limited(deadline: Deadline, work: Callable[[], Awaitable[object]]) -> str:
    try:
        with deadline.limit():
            await work()
    except TimeoutError:
        return "late"
    return "done"


async def for_ever() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    await asyncio.sleep(0)


def test_only_who_takes_too_long_is_ended() -> None:
    async def play() -> tuple[list[str], float]:
        deadline, loop = Deadline(LIMIT_S), asyncio.get_running_loop()
        began_s = loop.time()
        works = [at_once, for_ever, at_once, for_ever]
        came_to = await asyncio.gather(*(limited(deadline, work) for work in works))
        return list(came_to), loop.time() - began_s

    came_to, took_s = asyncio.run(play())
    assert came_to == ["done", "late", "done", "late"]
    assert LIMIT_S <= took_s < 1.0


def test_each_has_the_whole_time_from_when_it_began() -> None:
    async def play() -> list[float]:
        deadline, loop = Deadline(LIMIT_S), asyncio.get_running_loop()

        async def one(after_s: float) -> float:
            await asyncio.sleep(after_s)
            began_s = loop.time()
            assert await limited(deadline, for_ever) == "late"
            return loop.time() - began_s

        return await asyncio.gather(*(one(LIMIT_S * n / 3) for n in range(5)))

    assert all(LIMIT_S <= took_s < LIMIT_S + 0.5 for took_s in asyncio.run(play()))


def test_who_is_cancelled_by_somebody_else_is_not_late() -> None:
    async def play() -> None:
        task = asyncio.create_task(limited(Deadline(LIMIT_S), for_ever))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())


def test_who_is_cancelled_while_its_time_runs_out_stays_cancelled() -> None:
    async def play() -> None:
        entered = asyncio.Event()

        async def slow_to_end() -> None:
            entered.set()
            try:
                await for_ever()
            finally:
                asyncio.current_task().cancel()  # type: ignore[union-attr] # there is one

        task = asyncio.create_task(limited(Deadline(LIMIT_S), slow_to_end))
        await entered.wait()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())


def test_an_error_of_its_own_is_passed_on_and_nothing_is_left_to_expire() -> None:
    async def fails() -> None:
        raise LookupError

    async def play() -> str:
        deadline = Deadline(LIMIT_S)
        with pytest.raises(LookupError):
            await limited(deadline, fails)
        await asyncio.sleep(2 * LIMIT_S)  # this very task: it would be hit now
        return await limited(deadline, at_once)

    assert asyncio.run(play()) == "done"
