"""The drivers of Cloud Hypervisor and Firecracker on the real programs, where one is named.

AEROSTAT_CLOUD_HYPERVISOR and AEROSTAT_FIRECRACKER name them; they need KVM. The guest is the lab's,
which waits for ever for a port that these have not, and by that is never quite idle; another one is
named by AEROSTAT_GUEST_KERNEL and AEROSTAT_GUEST_INITRAMFS (Firecracker takes an uncompressed
vmlinux only). A program may be a command with arguments: that is how the stand-ins are started.
"""

import asyncio
import os
import shlex
import signal
import subprocess
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from aerostat.drivers.cloud_hypervisor import CloudHypervisorDriver
from aerostat.drivers.firecracker import FirecrackerDriver
from aerostat.drivers.sockets import SocketDriver, SocketSettings
from aerostat.lab.image import build_image
from aerostat.model.guest import RunState
from aerostat.units import MIB
from api_client import request
from deadlines import PATIENCE_S
from drivers.contract.api_hands import ApiHand, CloudHypervisorHand, FirecrackerHand
from drivers.contract.rig import Case, Kind, RigKind, Traits
from drivers.contract.rig_fake_api import NEVER_RESET
from qemu_process import SystemClock

CMDLINE = "console=ttyS0 panic=-1 quiet psi=1 swap=none"
NO_DRIVER = " noballoon"  # understood by the lab's guest, and by the stand-ins
LIFE_S = 10.0
"""A VM that is reset has lived so long: only its counters tell, and the next look may come late."""

NEEDS_HAND = "nobody can do that to the real program from outside; its stand-in shows it"


class RealApiRig(ApiHand):
    """Processes of a hypervisor, one for each VM."""

    def __init__(self, command: str, guest: tuple[Path, Path], directory: Path) -> None:
        super().__init__()
        self.kernel, self.initramfs = guest
        self._command = shlex.split(command)
        self._directory = directory
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    async def __aenter__(self) -> "RealApiRig":
        await self._open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.driver.close()
        for process in self._processes.values():
            process.kill()
            process.wait()

    @abstractmethod
    def new_driver(self) -> SocketDriver:
        """A driver as a daemon would make it."""

    def sockets(self) -> list[str]:
        """Where a daemon would look."""
        return [str(self._directory / "*.sock")]

    @abstractmethod
    def options(self, name: str) -> list[str]:
        """Of the command line."""

    @abstractmethod
    async def boot(self, name: str, kind: Kind) -> None:
        """Describe the VM and start it, by its API."""

    def socket(self, name: str) -> Path:
        return self._directory / f"{name}.sock"

    def snapshots(self) -> Path:
        directory = self._directory / "saved"
        directory.mkdir()
        return directory

    async def start(self, name: str, kind: Kind = Kind.ORDINARY) -> None:
        self.socket(name).unlink(missing_ok=True)  # a killed process leaves it behind
        log = self._directory / f"{name}.log"
        with log.open("wb") as output:
            self._processes[name] = subprocess.Popen(  # noqa: ASYNC220 - it starts in no time
                [*self._command, *self.options(name)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

        async def listens() -> bool:
            assert self._processes[name].poll() is None, log.read_text()
            try:
                _reader, writer = await asyncio.open_unix_connection(str(self.socket(name)))
            except OSError:
                return False
            writer.close()
            return True

        await self.until(listens, f"{name} listens")
        await self.boot(name, kind)
        if kind is Kind.ORDINARY:
            await self.until(partial(self._has_figures, name), f"the guest of {name} reports")

    async def end(self, name: str) -> None:
        self._processes[name].kill()
        self._processes[name].wait()

    async def reopen(self) -> None:
        await self.driver.close()
        await self._open()

    async def hang(self, name: str) -> None:
        os.kill(self._processes[name].pid, signal.SIGSTOP)

    async def wake(self, name: str) -> None:
        os.kill(self._processes[name].pid, signal.SIGCONT)

    async def lose_replies(self, name: str) -> None:
        await self.hang(name)

    async def keep_replies(self, name: str) -> None:
        await self.wake(name)

    async def get(self, name: str, path: str) -> dict[str, int]:
        """Ask for an object."""
        status, answer = await request(self.socket(name), "GET", path)
        return answer if status == 200 and isinstance(answer, dict) else {}

    @abstractmethod
    async def figures(self, name: str) -> dict[str, int]:
        """What its guest has said."""

    async def available_bytes(self, name: str) -> int:
        return (await self.figures(name)).get("available_memory", 0)

    async def _has_figures(self, name: str) -> bool:
        return await self.available_bytes(name) > 0

    async def _open(self) -> None:
        self.driver = self.new_driver()
        await self.driver.open(self.events.append)


class RealCloudHypervisorRig(CloudHypervisorHand, RealApiRig):
    """Cloud Hypervisor."""

    traits = Traits(patience_s=PATIENCE_S, report_s=5.0, state_in_migration=RunState.PAUSED)

    def new_driver(self) -> SocketDriver:
        return CloudHypervisorDriver(self.sockets(), clock=SystemClock(), settings=SocketSettings())

    def options(self, name: str) -> list[str]:
        return ["--api-socket", str(self.socket(name))]

    async def boot(self, name: str, kind: Kind) -> None:
        vm: dict[str, object] = {
            "cpus": {"boot_vcpus": 1, "max_vcpus": 1},
            "memory": {"size": self.traits.max_bytes},
            "payload": {
                "kernel": str(self.kernel),
                "initramfs": str(self.initramfs),
                "cmdline": CMDLINE + (NO_DRIVER if kind is Kind.NO_DRIVER else ""),
            },
            "serial": {"mode": "Null"},
            "console": {"mode": "Off"},
        }
        if kind is not Kind.REFUSING:
            vm["balloon"] = {"size": 0, "deflate_on_oom": True, "free_page_reporting": True}
        await self.ask(name, "PUT", "/api/v1/vm.create", vm)
        await self.ask(name, "PUT", "/api/v1/vm.boot")

    async def actual_bytes(self, name: str) -> int:
        return (await self.get(name, "/api/v1/vm.info"))["memory_actual_size"]

    async def reset(self, name: str) -> None:
        await asyncio.sleep(LIFE_S)
        await super().reset(name)

    async def figures(self, name: str) -> dict[str, int]:
        answer: object = await self.get(name, "/api/v1/vm.balloon-stats")
        stats = answer.get("stats") if isinstance(answer, dict) else None
        return stats if isinstance(stats, dict) else {}


class RealFirecrackerRig(FirecrackerHand, RealApiRig):
    """Firecracker."""

    traits = Traits(
        patience_s=PATIENCE_S, report_s=5.0, step_bytes=MIB, state_in_migration=RunState.PAUSED
    )

    def new_driver(self) -> SocketDriver:
        return FirecrackerDriver(self.sockets(), clock=SystemClock(), settings=SocketSettings())

    def options(self, name: str) -> list[str]:
        return ["--api-sock", str(self.socket(name)), "--id", name]

    async def boot(self, name: str, kind: Kind) -> None:
        source = {
            "kernel_image_path": str(self.kernel),
            "initrd_path": str(self.initramfs),
            "boot_args": CMDLINE + (NO_DRIVER if kind is Kind.NO_DRIVER else ""),
        }
        machine = {"vcpu_count": 1, "mem_size_mib": self.traits.max_bytes // MIB}
        balloon = {"amount_mib": 0, "deflate_on_oom": True, "stats_polling_interval_s": 1}
        await self.ask(name, "PUT", "/boot-source", source)
        await self.ask(name, "PUT", "/machine-config", machine)
        if kind is not Kind.REFUSING:
            await self.ask(name, "PUT", "/balloon", balloon)
        await self.ask(name, "PUT", "/actions", {"action_type": "InstanceStart"})

    async def actual_bytes(self, name: str) -> int:
        held_pages = (await self.figures(name)).get("actual_pages", 0)
        return self.traits.max_bytes - held_pages * 4096

    async def figures(self, name: str) -> dict[str, int]:
        return await self.get(name, "/balloon/statistics")


MakeRig = Callable[[str, tuple[Path, Path], Path], RealApiRig]


def play_on(make_rig: MakeRig, command: str, case: Case, directory: Path) -> None:
    """Play a case on processes of this command."""

    async def whole() -> None:
        async with make_rig(command, _guest(), directory) as rig:
            await case.play(rig)

    asyncio.run(whole())


def _guest() -> tuple[Path, Path]:
    named = [os.environ.get(f"AEROSTAT_GUEST_{part}") for part in ("KERNEL", "INITRAMFS")]
    if named[0] and named[1]:
        return Path(named[0]), Path(named[1])
    default = Path(__file__).parents[3] / ".cache"
    image = build_image(Path(os.environ.get("AEROSTAT_CACHE", default)), print)
    return image.kernel, image.initramfs


def _kind(name: str, variable: str, rig_class: type[RealApiRig], peer: str) -> RigKind:
    cannot = {"reconnect": NEEDS_HAND, "stalled": NEEDS_HAND}
    if rig_class is RealFirecrackerRig:
        cannot = {"reset": NEVER_RESET, **cannot}

    def play(case: Case, directory: Path) -> None:
        play_on(rig_class, os.environ[variable], case, directory)

    def missing() -> str | None:
        return None if os.environ.get(variable) else f"{variable} names no program"

    return RigKind(
        name=name,
        peer=f"{peer}, Linux guests of the lab",
        play=play,
        cannot=cannot,
        marks=(pytest.mark.lab, pytest.mark.slow),
        when=f"`script/test`, where `{variable}` names it",
        shown="if named",
        missing=missing,
    )


CLOUD_HYPERVISOR = _kind(
    "ch", "AEROSTAT_CLOUD_HYPERVISOR", RealCloudHypervisorRig, "real Cloud Hypervisor"
)
FIRECRACKER = _kind("fc", "AEROSTAT_FIRECRACKER", RealFirecrackerRig, "real Firecracker")
