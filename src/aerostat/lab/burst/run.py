"""Boots the guest and plays bursts on it, the arms of every repeat in shuffled order."""

import asyncio
import os
import random
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aerostat.lab.accelerator import probe_accelerator, qemu_version
from aerostat.lab.burst.found import ARMS, Arm, Burst, Bursts
from aerostat.lab.burst.play import (
    GAP_BYTES,
    HELD_BYTES,
    HOT_BYTES,
    JUMP_BYTES,
    RAM_BYTES,
    BurstPlayer,
)
from aerostat.lab.burst.summary import is_measured
from aerostat.lab.burst.watch import BalloonWatch
from aerostat.lab.directory import PREFIX, own_directory
from aerostat.lab.image import build_image
from aerostat.lab.image.cache import cache_directory
from aerostat.lab.machine import Machine, MachineSpec, WorkloadSpec

RATE = 500
BOOT_S = 180.0
TRIES = 3


async def measure_bursts(repeats: int, seed: int, on_progress: Callable[[str], None]) -> Bursts:
    """Measure all arms ``repeats`` times.

    Raises:
        AerostatError: no guests can be had here.
    """
    started_utc = datetime.now(UTC).isoformat(timespec="seconds")
    cache = cache_directory()
    image = await asyncio.to_thread(build_image, cache, on_progress, with_agent=True)
    accelerator = await probe_accelerator(image, cache_dir=cache)
    spec = MachineSpec(
        name="ada",
        ram_bytes=RAM_BYTES,
        accelerator=accelerator.name,
        has_agent_port=True,
        workload=WorkloadSpec(hot_bytes=HOT_BYTES, rate=RATE),
    )
    on_progress(f"a guest of {RAM_BYTES >> 20} MiB ({accelerator.name.upper()})")
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir="/var/tmp") as name:  # a private one
        own_directory(Path(name))
        async with Machine.start(spec, image, Path(name)) as machine:
            await machine.wait_booted(BOOT_S)
            async with BalloonWatch(machine.files.lab_qmp) as watch:
                player = BurstPlayer(machine, watch, Path(name))
                bursts = await _play(player, repeats, seed, on_progress)
    notes = (f"TCG, because {accelerator.why}",) if accelerator.name == "tcg" else ()
    return Bursts(
        started_utc=started_utc,
        accelerator=accelerator.name,
        machine={
            "cores": os.cpu_count() or 1,
            "kernel": os.uname().release,
            "hypervisor": qemu_version(),
            "guest_kernel": image.kernel_version,
        },
        world={
            "ram_bytes": RAM_BYTES,
            "hot_bytes": HOT_BYTES,
            "jump_bytes": JUMP_BYTES,
            "held_bytes": HELD_BYTES,
            "gap_bytes": GAP_BYTES,
            "rate": RATE,
            "seed": seed,
        },
        bursts=bursts,
        notes=notes,
    )


async def _play(
    player: BurstPlayer, repeats: int, seed: int, on_progress: Callable[[str], None]
) -> tuple[Burst, ...]:
    """All arms of a repeat in shuffled order; a burst that measured nothing is played again."""
    drawn = random.Random(seed)
    bursts: list[Burst] = []
    for repeat in range(repeats):
        arms: list[Arm] = [arm for arm in ARMS for _ in range(arm.bursts_a_repeat)]
        drawn.shuffle(arms)
        for arm in arms:
            for _ in range(TRIES):
                burst = await player.play(arm, repeat, drawn.random())
                bursts.append(burst)
                on_progress(f"repeat {repeat + 1} of {repeats}: {arm.words}: {_words(burst)}")
                if is_measured(burst):
                    break
    return tuple(bursts)


def _words(burst: Burst) -> str:
    if burst.why_not_at_rest is not None:
        return f"not at rest, {burst.why_not_at_rest}"
    if burst.stalled_after_s is None:
        return "it never waited"
    times = (burst.first_page_s, burst.most_s)
    return ", ".join("never" if time_s is None else f"{1000 * time_s:.0f} ms" for time_s in times)
