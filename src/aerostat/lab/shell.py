"""One lab guest with a shell on a serial line, for as long as somebody sits at it."""

import asyncio
import os
import tempfile
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from aerostat.lab.accelerator import probe_accelerator
from aerostat.lab.directory import PREFIX, own_directory
from aerostat.lab.image import build_image
from aerostat.lab.image.cache import cache_directory
from aerostat.lab.machine import Machine, MachineError, MachineSpec

BOOT_S = 120.0
ANSWER_S = 30.0
"""A guest that has booted shows its prompt at once."""

LEAVE = b"\x1d"
"""Ctrl-], as in telnet and ``virsh console``."""

_END_OF_INPUT = b"\nexit\n"  # Ctrl-D would be lost while something else than the shell reads
_CHUNK = 4096


async def sit_at_shell(spec: MachineSpec, on_progress: Callable[[str], None]) -> None:
    """Boot a guest, hand this terminal to it until one of them leaves, and end it.

    Raises:
        AerostatError: no guest can be had here.
    """
    cache = cache_directory()
    image = await asyncio.to_thread(build_image, cache, on_progress)
    accelerator = await probe_accelerator(image, cache_dir=cache)
    if accelerator.name == "tcg":
        on_progress(f"emulated, because {accelerator.why}")
    rows, columns = _size()
    seated = replace(
        spec,
        accelerator=accelerator.name,
        has_shell=True,
        kernel_args=(*spec.kernel_args, f"shell_size={rows}x{columns}"),
    )
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir="/var/tmp") as name:  # a private one
        own_directory(Path(name))
        on_progress(f"booting {spec.name}")
        async with Machine.start(seated, image, Path(name)) as machine:
            hello = await machine.wait_booted(BOOT_S)
            on_progress(f"Linux {hello.kernel}, swap {hello.swap}, balloon {hello.balloon}")
            on_progress(f"QMP: {machine.files.qmp}")
            on_progress("exit, or Ctrl-], ends it")
            await _converse(machine.files.shell)


async def _converse(path: Path) -> None:
    """Pass on what each side says."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    typed: asyncio.Queue[bytes] = asyncio.Queue()
    try:
        writer.write(b"\n")  # for a prompt, should the first one have been shown to nobody
        try:
            async with asyncio.timeout(ANSWER_S):
                _show(await reader.read(_CHUNK))
        except TimeoutError as error:
            raise MachineError("the guest's shell does not answer") from error
        with _raw_terminal():
            _listen(typed)
            hearing = asyncio.create_task(_hear(reader))
            talking = asyncio.create_task(_talk(typed, writer))
            done, left = await asyncio.wait({hearing, talking}, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for task in done:
                task.result()
    finally:
        writer.close()


async def _hear(reader: asyncio.StreamReader) -> None:
    """Show what the guest writes, until it is gone."""
    try:
        while data := await reader.read(_CHUNK):
            _show(data)
    except ConnectionError:
        return  # its QEMU has ended


async def _talk(typed: "asyncio.Queue[bytes]", writer: asyncio.StreamWriter) -> None:
    """Send what is typed, until somebody leaves."""
    try:
        while data := await typed.get():
            before, leave, _ = data.partition(LEAVE)
            writer.write(before)
            await writer.drain()
            if leave:
                return
        writer.write(_END_OF_INPUT)  # nobody types any more: what is under way is finished
        await writer.drain()
        await asyncio.Event().wait()
    except ConnectionError:
        return


def _listen(typed: "asyncio.Queue[bytes]") -> None:
    """Read standard input in a thread: it may be a terminal, a pipe or a file."""
    loop = asyncio.get_running_loop()

    def listen() -> None:
        data = b"-"
        while data:
            try:
                data = os.read(0, _CHUNK)
            except OSError:
                data = b""
            try:
                loop.call_soon_threadsafe(typed.put_nowait, data)
            except RuntimeError:
                return  # the loop has ended

    # It may wait for a key for ever: at the end nobody waits for it.
    threading.Thread(target=listen, name="keyboard", daemon=True).start()


def _show(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Every key goes to the guest, which shows it; this side shows nothing by itself."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        _show(b"\r\n")


def _size() -> tuple[int, int]:
    try:
        size = os.get_terminal_size(0)
    except OSError:
        return 24, 80
    return max(1, size.lines), max(1, size.columns)
