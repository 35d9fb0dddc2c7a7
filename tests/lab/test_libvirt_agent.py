"""The agent in a real domain of a real libvirtd: found by its channel's name alone, and heard."""

import asyncio
import time
from pathlib import Path

import pytest

from aerostat.drivers.libvirt import LibvirtDriver
from aerostat.lab.image import build_image
from aerostat.model.events import Event, PressurePushed
from aerostat.model.guest import GuestId
from aerostat.units import MIB
from deadlines import PATIENCE_S
from libvirtd_process import BALLOON, is_there, private_libvirtd
from qemu_process import SystemClock

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.beside,
    pytest.mark.timeout(700),
    pytest.mark.skipif(not is_there(), reason="libvirtd is not installed: libvirt-daemon"),
]
CHANNEL = "<channel type='unix'><target type='virtio' name='org.aerostat.agent.0'/></channel>"


def test_an_agent_is_heard_through_a_channel_that_only_has_a_name(cache_dir: Path) -> None:
    image = build_image(cache_dir, print, with_agent=True)
    with private_libvirtd(image) as host:
        domain = host.create("eve", hot_bytes=60 * MIB, devices=BALLOON + CHANNEL)
        host.booted("eve")
        guest = GuestId(domain.UUIDString())

        async def main() -> None:
            events: list[Event] = []
            driver = LibvirtDriver(host.uri, clock=SystemClock())
            await driver.open(events.append)
            try:
                give_up_s = time.monotonic() + PATIENCE_S
                while (read := await driver.read_guest(guest)).pressure is None:
                    assert time.monotonic() < give_up_s, read
                    await asyncio.sleep(0.1)
                assert read.trouble is None
                assert read.pressure.some_total_s is not None
                await driver.set_target(guest, target_bytes=160 * MIB)
                host.workloads["eve"].order(f"hot {150 * MIB}")
                while not any(isinstance(e, PressurePushed) and e.guest == guest for e in events):
                    assert time.monotonic() < give_up_s, events
                    await asyncio.sleep(0.1)
            finally:
                await driver.close()

        asyncio.run(main())
