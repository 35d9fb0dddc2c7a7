"""The doctor hears an agent for a moment: whether its guest has swap."""

import asyncio
import time
from pathlib import Path

import pytest

from aerostat.doctor.vm_agent import HEAR_S, swap_by_agent
from aerostat.doctor.vm_ports import VmPort

LINE = b'{"aerostat":1,"kind":"figures","uptime_s":5.0,"swap_total_bytes":%d}\n'


def heard(socket: Path, said: bytes, *, is_open: bool = True) -> int | None:
    """What the doctor hears at a port whose guest says this, and then nothing."""

    async def main() -> int | None:
        writers: list[asyncio.StreamWriter] = []

        async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            writer.write(said)

        server = await asyncio.start_unix_server(meet, socket)
        try:
            return await swap_by_agent(VmPort(is_open=is_open, socket=socket))
        finally:
            for writer in writers:
                writer.close()
            server.close()

    return asyncio.run(main())


@pytest.mark.parametrize("swap_bytes", [0, 1 << 30])
def test_it_hears_how_much_swap_there_is(tmp_path: Path, swap_bytes: int) -> None:
    assert heard(tmp_path / "a", LINE % swap_bytes) == swap_bytes


def test_the_rest_of_a_line_and_nonsense_are_passed_over(tmp_path: Path) -> None:
    assert heard(tmp_path / "a", b'cut":1}\n' + LINE % 4096) == 4096


@pytest.mark.parametrize("said", [b"", b"x" * 100_000, LINE % 2**70])
def test_a_guest_that_says_nothing_of_use_costs_a_moment(tmp_path: Path, said: bytes) -> None:
    began_s = time.monotonic()
    assert heard(tmp_path / "a", said) is None
    assert time.monotonic() - began_s < HEAR_S + 30


def test_a_port_that_nobody_opened_is_not_asked(tmp_path: Path) -> None:
    assert heard(tmp_path / "a", LINE % 4096, is_open=False) is None
