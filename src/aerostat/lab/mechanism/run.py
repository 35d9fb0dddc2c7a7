"""Boots the guests of the measurement one after the other, and the daemon on the last."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aerostat.lab.accelerator import probe_accelerator, qemu_version
from aerostat.lab.directory import PREFIX, own_directory
from aerostat.lab.image import build_image
from aerostat.lab.image.cache import cache_directory
from aerostat.lab.machine import Machine, MachineSpec, WorkloadSpec
from aerostat.lab.mechanism.daemon_cost import daemon_cost
from aerostat.lab.mechanism.found import DaemonCost, Mechanism, Move
from aerostat.lab.mechanism.moves import RAM_BYTES, SMALL_BYTES, MoveProbe

RATE = 1000
BOOT_S = 60.0


async def measure_mechanism(repeats: int, on_progress: Callable[[str], None]) -> Mechanism:
    """Measure it: with huge pages and without, over touched memory and untouched.

    Raises:
        AerostatError: no guests can be had here.
    """
    started_utc = datetime.now(UTC).isoformat(timespec="seconds")
    cache = cache_directory()
    image = await asyncio.to_thread(build_image, cache, on_progress)
    accelerator = await probe_accelerator(image, cache_dir=cache)
    moves: list[Move] = []
    daemon: DaemonCost | None = None
    for huge_pages in (False, True):
        told = "with" if huge_pages else "without"
        on_progress(f"a guest {told} huge pages ({accelerator.name.upper()})")
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir="/var/tmp") as name:  # a private one
            own_directory(Path(name))
            spec = MachineSpec(
                name="ada",
                ram_bytes=RAM_BYTES,
                accelerator=accelerator.name,
                huge_pages=huge_pages,
                workload=WorkloadSpec(hot_bytes=SMALL_BYTES, rate=RATE),
            )
            async with Machine.start(spec, image, Path(name)) as machine:
                await machine.wait_booted(BOOT_S)
                moves += await MoveProbe(machine, huge_pages).run(repeats)
                if daemon is None:
                    on_progress("the daemon itself")
                    daemon = await daemon_cost(Path(name), guests=1)
    assert daemon is not None
    notes = (f"TCG, because {accelerator.why}",) if accelerator.name == "tcg" else ()
    return Mechanism(
        started_utc=started_utc,
        accelerator=accelerator.name,
        machine={
            "cores": os.cpu_count() or 1,
            "kernel": os.uname().release,
            "hypervisor": qemu_version(),
            "guest_kernel": image.kernel_version,
        },
        moves=tuple(moves),
        daemon=daemon,
        notes=notes,
    )
