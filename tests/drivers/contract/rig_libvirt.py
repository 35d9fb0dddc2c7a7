"""The libvirt driver on a real libvirtd of its own, with guests of the lab as its domains."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import libvirt
import pytest

from aerostat.drivers.libvirt import LibvirtDriver
from aerostat.lab.image import GuestImage, build_image
from aerostat.units import KIB, MIB
from deadlines import PATIENCE_S
from drivers.contract.rig import Case, Kind, Rig, RigKind, Traits
from libvirtd_process import BALLOON, NO_BALLOON, Libvirtd, is_there, private_libvirtd
from qemu_process import SystemClock

_ORDER_S = 1.0  # an order to the workload is obeyed by then, on a slow machine too


class LibvirtRig(Rig):
    """Domains; somebody else's hand is a connection of the test's own."""

    traits = Traits(patience_s=PATIENCE_S)

    def __init__(self, image: GuestImage) -> None:
        super().__init__()
        self._image = image
        self._host: Libvirtd
        self._saving: threading.Thread | None = None
        self._pipe = -1
        self._stack = ExitStack()

    async def __aenter__(self) -> "LibvirtRig":
        self._host = self._stack.enter_context(private_libvirtd(self._image))
        await self._open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.driver.close()
        self._stack.close()
        if self._saving is not None:
            self._saving.join()

    async def start(self, name: str, kind: Kind = Kind.ORDINARY) -> None:
        def create() -> None:
            self._host.create(
                name,
                ram_mib=self.traits.max_bytes // MIB,
                devices=NO_BALLOON if kind is Kind.REFUSING else BALLOON,
                kernel_args="noballoon" if kind is Kind.NO_DRIVER else "",
            )
            self._host.booted(name)

        await asyncio.to_thread(create)

    async def end(self, name: str) -> None:
        self._host.domain(name).destroy()

    async def reopen(self) -> None:
        await self.driver.close()
        await self._open()

    async def actual_bytes(self, name: str) -> int:
        stats = await asyncio.to_thread(self._host.domain(name).memoryStats)
        return int(stats.get("actual", self.traits.max_bytes // KIB)) * KIB

    async def available_bytes(self, name: str) -> int:
        return self._host.latest(name).available_bytes

    async def pause(self, name: str) -> None:
        self._host.domain(name).suspend()

    async def resume(self, name: str) -> None:
        self._host.domain(name).resume()

    async def reset(self, name: str) -> None:
        held_bytes = await self.actual_bytes(name)
        self._host.domain(name).reset()
        # A target set before the fresh driver has loaded leaves QEMU telling the old `actual` until
        # the next move: the driver says something only when its balloon changes.
        give_up_s = time.monotonic() + self.traits.patience_s
        while await self.actual_bytes(name) <= held_bytes:
            assert time.monotonic() < give_up_s, f"{name} has not booted again"
            await asyncio.sleep(0.01)

    async def begin_migration(self, name: str) -> None:
        """It is being saved to a pipe that nobody empties."""
        pipe = self._host.home / f"{name}.saved"
        os.mkfifo(pipe)
        self._host.hand_over(pipe)
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self._stack.callback(os.close, self._pipe)
        domain = self._host.domain(name)

        def save() -> None:
            with contextlib.suppress(libvirt.libvirtError):  # called off
                domain.save(str(pipe))

        self._saving = threading.Thread(target=save)
        self._saving.start()

    async def end_migration(self, name: str) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(self._host.domain(name).abortJob))
            await asyncio.sleep(_ORDER_S)
            assert self._saving is not None
            while self._saving.is_alive():
                with contextlib.suppress(BlockingIOError):
                    os.read(self._pipe, 1 << 20)
                await asyncio.sleep(0.001)

    async def hang(self, name: str) -> None:
        os.kill(self._host.pid(name), signal.SIGSTOP)

    async def wake(self, name: str) -> None:
        os.kill(self._host.pid(name), signal.SIGCONT)

    async def lose_replies(self, name: str) -> None:
        await self.hang(name)

    async def keep_replies(self, name: str) -> None:
        await self.wake(name)

    async def cut(self, name: str) -> None:  # noqa: ARG002 - one connection is for all
        def restart() -> None:
            self._host.stop()
            self._host.start()

        await asyncio.to_thread(restart)

    async def stall(self, name: str) -> None:
        self._host.workloads[name].order("balloon hung")
        await asyncio.sleep(_ORDER_S)

    async def unstall(self, name: str) -> None:
        self._host.workloads[name].order("balloon works")

    async def _open(self) -> None:
        self.driver = LibvirtDriver(self._host.uri, clock=SystemClock())
        await self.driver.open(self.events.append)


def _play(case: Case, _directory: Path) -> None:
    default = Path(__file__).parents[3] / ".cache"
    image = build_image(Path(os.environ.get("AEROSTAT_CACHE", default)), print)

    async def whole() -> None:
        async with LibvirtRig(image) as rig:
            await case.play(rig)

    asyncio.run(whole())


LIBVIRT = RigKind(
    name="libvirt",
    peer="real libvirtd and QEMU, Linux guests of the lab",
    play=_play,
    marks=(pytest.mark.lab, pytest.mark.slow, pytest.mark.beside),
    missing=lambda: None if is_there() else "libvirtd is not installed: libvirt-daemon",
)
