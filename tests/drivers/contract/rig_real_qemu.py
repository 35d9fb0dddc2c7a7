"""The QMP driver on real QEMUs with guests of the lab."""

import asyncio
import os
import shutil
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from aerostat.drivers.qmp import QmpDriver
from aerostat.drivers.qmp.guest import ConnectedGuest
from aerostat.lab.image import GuestImage, build_image
from aerostat.lab.machine import Machine, MachineSpec, WorkloadSpec
from aerostat.units import MIB
from deadlines import PATIENCE_S
from drivers.contract.rig import Case, Kind, Rig, RigKind, Traits
from lab.patience import BOOT_S
from qemu_process import SystemClock


class RealQemuRig(Rig):
    """Machines of the lab; somebody else's hand is its second monitor."""

    traits = Traits(patience_s=PATIENCE_S)

    def __init__(self, image: GuestImage, directory: Path) -> None:
        super().__init__()
        self._image = image
        self._directory = directory
        self._machines: dict[str, Machine] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "RealQemuRig":
        await self._open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.driver.close()
        await self._stack.aclose()

    async def start(self, name: str, kind: Kind = Kind.ORDINARY) -> None:
        spec = MachineSpec(
            name=name,
            swap="none",
            ram_bytes=self.traits.max_bytes,
            has_balloon=kind is not Kind.REFUSING,
            balloon_driver="absent" if kind is Kind.NO_DRIVER else "loaded",
            workload=WorkloadSpec(hot_bytes=16 * MIB, rate=100),
            extra_args=("-action", "reboot=reset"),  # else a lab machine ends at a reboot
        )
        machine = Machine.start(spec, self._image, self._directory)
        self._machines[name] = await self._stack.enter_async_context(machine)
        await machine.wait_booted(BOOT_S)

        async def has_spoken() -> bool:
            return machine.latest is not None

        await self.until(has_spoken, f"{name} tells how it is")

    async def end(self, name: str) -> None:
        await self._machines[name].stop()

    async def reopen(self) -> None:
        await self.driver.close()
        await self._open()

    async def actual_bytes(self, name: str) -> int:
        if not self._machines[name].spec.has_balloon:
            return self._machines[name].spec.ram_bytes
        answer = await self._execute(name, "query-balloon")
        assert isinstance(answer, dict)
        return int(answer["actual"])

    async def available_bytes(self, name: str) -> int:
        latest = self._machines[name].latest
        return 0 if latest is None else latest.available_bytes

    async def pause(self, name: str) -> None:
        await self._execute(name, "stop")

    async def resume(self, name: str) -> None:
        await self._execute(name, "cont")

    async def reset(self, name: str) -> None:
        held_bytes = await self.actual_bytes(name)
        await self._execute(name, "system_reset")
        # A target set before the fresh driver has loaded leaves QEMU telling the old `actual` until
        # the next move: the driver says something only when its balloon changes.
        give_up_s = time.monotonic() + self.traits.patience_s
        while await self.actual_bytes(name) <= held_bytes:
            assert time.monotonic() < give_up_s, f"{name} has not booted again"
            await asyncio.sleep(0.01)

    async def begin_migration(self, name: str) -> None:
        await self._execute(name, "migrate-set-parameters", **{"max-bandwidth": 65536})
        await self._execute(name, "migrate", uri="exec:cat>/dev/null")

    async def end_migration(self, name: str) -> None:
        await self._execute(name, "migrate_cancel")

    async def hang(self, name: str) -> None:
        os.kill(self._machines[name].pid, signal.SIGSTOP)

    async def wake(self, name: str) -> None:
        os.kill(self._machines[name].pid, signal.SIGCONT)

    async def lose_replies(self, name: str) -> None:
        await self.hang(name)

    async def keep_replies(self, name: str) -> None:
        await self.wake(name)

    async def cut(self, name: str) -> None:
        assert isinstance(self.driver, QmpDriver)
        connected = self.driver._roll.watches[self._machines[name].files.qmp].connected
        assert isinstance(connected, ConnectedGuest)
        await connected.session.close()  # no peer can be told to hang up on a client

    async def stall(self, name: str) -> None:
        self._machines[name].send("balloon hung")
        await asyncio.sleep(_ORDER_S)

    async def unstall(self, name: str) -> None:
        self._machines[name].send("balloon works")

    async def _open(self) -> None:
        self.driver = QmpDriver([str(self._directory / "*.qmp")], clock=SystemClock())
        await self.driver.open(self.events.append)

    async def _execute(self, name: str, command: str, **arguments: object) -> object:
        return await self._machines[name].monitor.execute(command, arguments, deadline_s=10.0)


def _play(case: Case, directory: Path) -> None:
    default = Path(__file__).parents[3] / ".cache"
    image = build_image(Path(os.environ.get("AEROSTAT_CACHE", default)), print)

    async def whole() -> None:
        async with RealQemuRig(image, directory) as rig:
            await case.play(rig)

    asyncio.run(whole())


def _missing() -> str | None:
    if shutil.which("qemu-system-x86_64") is None:
        return "qemu-system-x86_64 is not installed: apt-get install qemu-system-x86"
    return None


_ORDER_S = 1.0  # an order to the workload is obeyed by then, on a slow machine too

REAL_QEMU = RigKind(
    name="qmp",
    peer="real QEMU, Linux guests of the lab",
    play=_play,
    marks=(pytest.mark.lab, pytest.mark.slow, pytest.mark.beside),
    missing=_missing,
)
