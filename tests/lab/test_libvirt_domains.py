"""The libvirt driver on a real libvirtd: what the contract of all drivers does not ask."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import libvirt
import pytest

from aerostat.drivers.libvirt import LibvirtDriver
from aerostat.host.qemu_processes import pid_of_vm
from aerostat.lab.image import GuestImage
from aerostat.model.events import Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.limits import DeclaredLimits
from deadlines import PATIENCE_S
from libvirtd_process import Libvirtd, is_there, private_libvirtd
from qemu_process import SystemClock

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.beside,
    pytest.mark.skipif(not is_there(), reason="libvirtd is not installed: libvirt-daemon"),
]
NAMES = ("ada", "bob", "cal", "dan")
URI = "urn:aerostat:vm"


@pytest.fixture(scope="module")
def host(image: GuestImage) -> Iterator[Libvirtd]:
    """Four domains; what is asked here, QEMU and libvirt answer before a guest has booted."""
    with private_libvirtd(image) as started:
        for name in NAMES:
            started.create(name, ram_mib=160)
        yield started


class Opened:
    """An open driver, and what it told."""

    def __init__(self, host: Libvirtd, names: tuple[str, ...]) -> None:
        self.events: list[Event] = []
        self.driver = LibvirtDriver(host.uri, clock=SystemClock(), pid_of=pid_of_vm)
        self._ids = {name: GuestId(host.domain(name).UUIDString()) for name in names}

    async def read(self, name: str) -> GuestSnapshot:
        return await self.driver.read_guest(self._ids[name])

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        give_up_s = time.monotonic() + PATIENCE_S
        while not await condition():
            assert time.monotonic() < give_up_s, f"{what}: not within {PATIENCE_S} s"
            await asyncio.sleep(0.05)

    async def until_state(self, name: str, state: RunState) -> None:
        async def is_so() -> bool:
            return (await self.read(name)).run_state is state

        await self.until(is_so, f"{name} is {state}")

    def told(self, name: str) -> list[tuple[LifecycleKind, str | None]]:
        return [
            (event.kind, event.detail)
            for event in self.events
            if isinstance(event, LifecycleChanged) and event.guest == self._ids[name]
        ]


@asynccontextmanager
async def opened(host: Libvirtd, names: tuple[str, ...] = NAMES) -> AsyncIterator[Opened]:
    rig = Opened(host, names)
    await rig.driver.open(rig.events.append)
    try:
        yield rig
    finally:
        await rig.driver.close()


def declare(host: Libvirtd, name: str, xml: str | None) -> None:
    kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
    host.domain(name).setMetadata(kind, xml, "aerostat", URI, libvirt.VIR_DOMAIN_AFFECT_LIVE)


def test_limits_declared_at_a_domain_hold_from_the_moment_they_are_changed(host: Libvirtd) -> None:
    async def main() -> None:
        async with opened(host) as rig:
            assert (await rig.read("ada")).declared is None

            async def is_declared(expected: DeclaredLimits | None) -> bool:
                return (await rig.read("ada")).declared == expected

            declare(host, "ada", '<vm weight="200"/>')
            await rig.until(lambda: is_declared(DeclaredLimits(weight=200)), "a weight")
            declare(host, "ada", '<vm weight="much"/>')
            await rig.until(lambda: is_declared(DeclaredLimits(is_managed=False)), "left alone")
            assert "much" in ((await rig.read("ada")).trouble or "")
            declare(host, "ada", None)
            await rig.until(lambda: is_declared(None), "nothing declared")

    asyncio.run(main())


@pytest.fixture
def crowd(host: Libvirtd) -> Iterator[tuple[str, ...]]:
    """Seven more for a while: with three others more than eight, which was the bound once."""
    more = tuple(f"eve{number}" for number in range(7))
    for name in more:
        host.create(name, ram_mib=64)
    yield more
    for name in more:
        host.domain(name).destroy()


def test_ten_that_hang_at_once_hold_up_nobody(host: Libvirtd, crowd: tuple[str, ...]) -> None:
    """Each costs a call that does not come back; the others are balanced all the while."""
    hung = (*NAMES[:3], *crowd)

    async def main() -> None:
        async with opened(host, (*NAMES, *crowd)) as rig:
            for name in hung:
                os.kill(host.pid(name), signal.SIGSTOP)
            try:
                for name in hung:
                    await rig.until_state(name, RunState.UNREACHABLE)
                for _ in range(10):
                    assert (await rig.read("dan")).run_state is RunState.RUNNING
                    await asyncio.sleep(0.2)
            finally:
                for name in hung:
                    os.kill(host.pid(name), signal.SIGCONT)
            for name in hung:
                await rig.until_state(name, RunState.RUNNING)

    asyncio.run(main())


def test_three_that_hang_at_once_hold_up_nobody(host: Libvirtd) -> None:
    async def main() -> None:
        async with opened(host) as rig:
            for name in NAMES[:3]:
                os.kill(host.pid(name), signal.SIGSTOP)
            try:
                for name in NAMES[:3]:
                    await rig.until_state(name, RunState.UNREACHABLE)
                for _ in range(5):
                    began_s = time.monotonic()
                    assert (await rig.read("dan")).run_state is RunState.RUNNING
                    assert time.monotonic() - began_s < 2.0
                    await asyncio.sleep(0.2)
            finally:
                for name in NAMES[:3]:
                    os.kill(host.pid(name), signal.SIGCONT)
            for name in NAMES[:3]:
                await rig.until_state(name, RunState.RUNNING)

    asyncio.run(main())


def test_a_libvirtd_that_hangs_is_waited_out_and_nobody_is_taken_for_gone(host: Libvirtd) -> None:
    async def main() -> None:
        async with opened(host) as rig:
            before = await rig.driver.list_guests()
            host.hang()
            try:
                await rig.until_state("ada", RunState.UNREACHABLE)
                assert await rig.driver.list_guests() == before
            finally:
                host.go_on()
            await rig.until_state("ada", RunState.RUNNING)
            assert rig.told("ada") == [(LifecycleKind.APPEARED, None)]

    asyncio.run(main())


def test_a_power_button_and_a_save_are_told_in_libvirts_words(host: Libvirtd) -> None:
    async def main() -> None:
        async with opened(host) as rig:
            assert pid_of_vm(host.domain("bob").UUIDString()) == host.pid("bob")
            host.domain("bob").shutdown()

            async def has_ended() -> bool:
                return rig.told("bob")[-1] == (LifecycleKind.DISAPPEARED, "saved")

            async def was_asked() -> bool:
                return (LifecycleKind.SHUTDOWN_ASKED, None) in rig.told("bob")

            await rig.until(was_asked, "its power button")
            saved = host.home / "bob.saved"
            await asyncio.to_thread(host.domain("bob").save, str(saved))
            await rig.until(has_ended, "it is gone")
            host.connection.restore(str(saved))

            async def is_back() -> bool:
                return rig.told("bob")[-1][0] in (LifecycleKind.APPEARED, LifecycleKind.RESUMED)

            await rig.until(is_back, "it is back")

    asyncio.run(main())


def test_what_a_domain_reads_from_its_disks_is_counted(host: Libvirtd) -> None:
    host.booted("ada")  # it has read the head of its swap by then
    domain = host.domain("ada")

    async def main() -> None:
        async with opened(host) as rig:

            async def agrees() -> bool:
                told = (await rig.read("ada")).disk_read_bytes
                truth = int(domain.blockStats("")[1])
                return truth > 0 and told == truth

            await rig.until(agrees, "its bytes read are those that libvirt counts")

    asyncio.run(main())
