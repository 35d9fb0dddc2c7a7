import asyncio
import time

import pytest

from aerostat.sim.virtual_time import SimClock, SimLoop, SimulationDeadlockError, run_simulated


def test_an_hour_passes_in_less_than_a_second() -> None:
    """The control loop ticks every 250 ms: 14,400 timers."""

    async def tick_for_an_hour() -> float:
        for _ in range(4 * 3600):
            await asyncio.sleep(0.25)
        return asyncio.get_running_loop().time()

    began_s = time.monotonic()
    assert run_simulated(tick_for_an_hour()) == pytest.approx(3600)
    assert time.monotonic() - began_s < 1.0


def test_timers_fire_in_order_and_at_their_time() -> None:
    """Tasks that sleep meet in the order of their alarms, not of their start."""
    heard: list[tuple[str, float]] = []

    async def alarm(name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        heard.append((name, asyncio.get_running_loop().time()))

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(alarm("late", 3e5))
            group.create_task(alarm("early", 0.1))
            group.create_task(alarm("middle", 7.0))

    run_simulated(main())
    assert [name for name, _ in heard] == ["early", "middle", "late"]
    assert [at_s for _, at_s in heard] == pytest.approx([0.1, 7.0, 3e5])


def test_deadlines_end_on_virtual_time() -> None:
    """asyncio.timeout must work unchanged: every await on a peer has one."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(90):
                await loop.create_future()
        return loop.time()

    assert run_simulated(main()) == pytest.approx(90)


def test_waiting_for_nothing_is_an_error_not_a_hang() -> None:
    """Without it a forgotten wake-up would hang the test run."""

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(SimulationDeadlockError, match="nothing can ever happen"):
        run_simulated(main())


def test_streams_work_on_virtual_time() -> None:
    """The real QMP driver runs against a fake QEMU on the same loop: sockets must be served."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        await asyncio.sleep(2)
        writer.write(line.upper())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> tuple[bytes, float]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"hello\n")
        heard = await reader.readline()
        writer.close()
        await writer.wait_closed()
        server.close()
        return heard, asyncio.get_running_loop().time()

    heard, virtual_s = run_simulated(main())
    assert heard == b"HELLO\n"
    # The loop waits a little by itself when a connection closes; two seconds were the server's.
    assert virtual_s >= 2


def test_a_pace_lets_real_time_pass() -> None:
    """A person watches the demo: ten virtual seconds at pace 50 take a fifth of a second."""

    async def main() -> None:
        for _ in range(100):
            await asyncio.sleep(0.1)

    began_s = time.monotonic()
    run_simulated(main(), pace=50)
    took_s = time.monotonic() - began_s
    assert took_s >= 0.19
    assert took_s < 2.0  # a loaded machine may be late, but lateness does not add up


def test_what_was_hurried_through_may_go_on_at_a_pace() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        began_s = time.monotonic()
        await asyncio.sleep(3600)
        hurried_s = time.monotonic() - began_s
        loop.keep_pace(20.0)
        began_s = time.monotonic()
        await asyncio.sleep(4)
        return hurried_s, time.monotonic() - began_s

    hurried_s, paced_s = run_simulated(main())
    assert hurried_s < 3600 / 20
    assert paced_s >= 4 / 20 * 0.95


def test_the_clock_follows_the_loop_and_its_wall_may_jump() -> None:
    """Monotonic time must not notice that somebody set the wall clock."""
    loop = SimLoop()
    try:
        clock = SimClock(loop, wall_start_s=1000.0)
        loop.run_until_complete(asyncio.sleep(5))
        assert (clock.now_s(), clock.wall_s()) == pytest.approx((5, 1005))
        clock.jump_wall(-3600)
        assert (clock.now_s(), clock.wall_s()) == pytest.approx((5, -2595))
    finally:
        loop.close()
