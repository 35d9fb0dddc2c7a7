"""The accelerator is what really boots a guest here."""

import asyncio
import time
from pathlib import Path

import pytest

from aerostat.lab.accelerator import probe_accelerator
from aerostat.lab.image import GuestImage
from aerostat.lab.machine import Machine, MachineSpec
from aerostat.units import MIB
from lab.patience import BOOT_S

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]


def test_the_verdict_boots_a_guest_and_is_remembered(
    image: GuestImage, run_dir: Path, tmp_path: Path
) -> None:
    cache_dir = tmp_path / "cache"

    async def scenario() -> None:
        verdict = await probe_accelerator(image, cache_dir=cache_dir)
        spec = MachineSpec(name="ada", ram_bytes=256 * MIB, swap="none", accelerator=verdict.name)
        async with Machine.start(spec, image, run_dir) as machine:
            await machine.wait_booted(BOOT_S)
        began_s = time.monotonic()
        assert await probe_accelerator(image, cache_dir=cache_dir) == verdict
        assert time.monotonic() - began_s < 1, "the second time it is not probed again"

    asyncio.run(scenario())


def test_without_a_device_it_is_emulation_at_once(image: GuestImage, tmp_path: Path) -> None:
    absent = tmp_path / "kvm"
    verdict = asyncio.run(probe_accelerator(image, cache_dir=tmp_path, device=absent))
    assert verdict.name == "tcg"
    assert str(absent) in verdict.why
