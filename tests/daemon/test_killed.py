"""A whole daemon, killed at any moment, fifty times: its store opens, and it balances on."""

import asyncio
import random
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from aerostat.sim.constants import HostPhysics
from aerostat.sim.guest_state import Load
from aerostat.sim.qemu import Machines
from aerostat.sim.world import GuestSpec, World
from aerostat.store import StoreError, open_store
from aerostat.units import MIB
from daemon_process import Daemon

CHAINS = 5
"""Hosts, side by side: most of a run is the start of a process."""
KILLS = 10
"""Of each host's daemon."""
NAMES = ("ada", "bob", "cleo", "dan")
RAM_BYTES = 400 * MIB * len(NAMES)


@contextmanager
def machines(folders: list[Path]) -> Iterator[list[World]]:
    """A world behind sockets in each folder, alive for the length of a block."""
    worlds: list[World] = []
    is_up = threading.Event()
    over: list[asyncio.Event] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def live() -> None:
        end = asyncio.Event()
        over.append(end)
        loops.append(asyncio.get_running_loop())
        load = Load(hot_bytes=80 * MIB, heap_bytes=350 * MIB)
        host = HostPhysics(total_bytes=RAM_BYTES)
        for _ in folders:
            specs = [GuestSpec(name=name, load=load) for name in NAMES]
            worlds.append(World(specs, host=host, step_s=0.2))
        async with asyncio.TaskGroup() as tasks:
            pairs = zip(worlds, folders, strict=True)
            behind = [tasks.create_task(balanced(world, folder)) for world, folder in pairs]
            await asyncio.sleep(0.2)
            is_up.set()
            await end.wait()
            for task in behind:
                task.cancel()

    async def balanced(world: World, folder: Path) -> None:
        async with Machines(world, folder):
            await world.run()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    assert is_up.wait(60)
    try:
        yield worlds
    finally:
        loops[0].call_soon_threadsafe(over[0].set)
        thread.join(60)
        assert not thread.is_alive()


def started(folder: Path) -> Daemon:
    settings = folder / "aerostat.toml"
    settings.write_text(f'[api]\nenabled = false\n[host]\nbudget = "{RAM_BYTES // MIB} MiB"\n')
    sockets = ("-c", str(settings), "--qmp", f"{folder}/*.qmp", "--mode", "enforce")
    return Daemon(*sockets, "--store", str(folder / "a.db"), cwd=folder)


def written(folder: Path) -> set[float]:
    """Rounds that have reached the file: what is seen from outside has been flushed."""
    try:
        with open_store(folder / "a.db") as reader:
            rounds = reader.rounds(since_wall_s=0.0, until_wall_s=1e12)
            return {one.snapshot.wall_s for one in rounds}
    except StoreError:
        return set()  # killed before it made one


def killed_again_and_again(folder: Path, world: World, seed: int) -> tuple[int, int]:
    """How many rounds were flushed before a kill, and how many runs sent a target."""
    draw = random.Random(seed)
    flushed: set[float] = set()
    acted = 0
    for kill in range(KILLS):
        # Somebody always has work, and somebody else has something to spare.
        for name in NAMES:
            world.guest(name).set_hot(draw.randrange(40, 330) * MIB)
        daemon = started(folder)
        try:
            if kill % 5 == 4:  # while it moves memory
                daemon.until_said("target")
            elif draw.random() < 0.8:  # else at any moment of its start
                daemon.until_said("guest_found")
            threading.Event().wait(draw.random() * 0.9)
            flushed |= written(folder)
        finally:
            daemon.kill()
        acted += bool(daemon.said("target"))
        assert not daemon.said("store_moved_aside"), f"kill {kill} of host {seed}"
        assert written(folder) >= flushed, f"kill {kill} of host {seed} lost what was flushed"
    return len(flushed), acted


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_fifty_times_under_load_a_daemon_loses_nothing_and_balances_on() -> None:
    """Seeds draw the moments and the load."""
    with tempfile.TemporaryDirectory(prefix="killed") as top:
        folders = [Path(top) / str(number) for number in range(CHAINS)]
        for folder in folders:
            folder.mkdir()
        with machines(folders) as worlds, ThreadPoolExecutor(CHAINS) as pool:
            done = list(pool.map(killed_again_and_again, folders, worlds, range(CHAINS)))
            assert all(rounds > 0 for rounds, _ in done), done
            assert all(acted > 0 for _, acted in done), "targets were sent, too"
            taken_up(folders[0], worlds[0])
        for folder in folders:
            with closing(sqlite3.connect(folder / "a.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def taken_up(folder: Path, world: World) -> None:
    """The next daemon gives a guest that is hungry what it took from it before."""
    for name in NAMES:
        world.guest(name).set_hot(40 * MIB)
    daemon = started(folder)
    try:
        ada = world.guest("ada")
        daemon.until(lambda: ada.actual_bytes < 400 * MIB, "memory that lies idle is taken")
        held_bytes = ada.actual_bytes
        ada.set_hot(330 * MIB)
        daemon.until(lambda: ada.actual_bytes >= held_bytes + 64 * MIB, "it gets what it needs")
        assert daemon.stop() == 0
    finally:
        daemon.kill()
