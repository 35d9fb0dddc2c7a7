"""A whole daemon, killed at any moment, fifty times: its store opens, and it balances on."""

import asyncio
import multiprocessing
import random
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
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

Order = tuple[int, str, int | None]
"""Of which host, which guest, and what it shall have hot; None: nothing else than before."""


class Host:
    """A world in the process of the fake VMs, by its number there."""

    def __init__(self, line: "Connection[Order, int]", held: threading.Lock, number: int) -> None:
        self._line = line
        self._held = held
        self._number = number

    def set_hot(self, name: str, size_bytes: int) -> None:
        self._ask(name, size_bytes)

    def actual_bytes(self, name: str) -> int:
        return self._ask(name, None)

    def _ask(self, name: str, hot_bytes: int | None) -> int:
        with self._held:
            self._line.send((self._number, name, hot_bytes))
            return self._line.recv()


def live(folders: list[Path], line: "Connection[int, Order]") -> None:
    """A world behind sockets in each folder, until nobody holds the line any more."""

    async def main() -> None:
        load = Load(hot_bytes=80 * MIB, heap_bytes=350 * MIB)
        specs = [GuestSpec(name=name, load=load) for name in NAMES]
        host = HostPhysics(total_bytes=RAM_BYTES)
        worlds = [World(specs, host=host, step_s=0.2) for _ in folders]
        over = asyncio.Event()

        def obey() -> None:
            try:
                number, name, hot_bytes = line.recv()
            except EOFError:
                over.set()
                return
            guest = worlds[number].guest(name)
            if hot_bytes is not None:
                guest.set_hot(hot_bytes)
            line.send(guest.actual_bytes)

        asyncio.get_running_loop().add_reader(line.fileno(), obey)
        async with asyncio.TaskGroup() as tasks:
            pairs = zip(worlds, folders, strict=True)
            behind = [tasks.create_task(balanced(world, folder)) for world, folder in pairs]
            await over.wait()
            asyncio.get_running_loop().remove_reader(line.fileno())
            for task in behind:
                task.cancel()

    async def balanced(world: World, folder: Path) -> None:
        async with Machines(world, folder):
            await world.run()

    asyncio.run(main())


@contextmanager
def machines(folders: list[Path]) -> Iterator[list[Host]]:
    """Fake VMs in a process of their own: the host measures that one for each of them."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=live, args=(folders, theirs), daemon=True)
    process.start()
    theirs.close()
    held = threading.Lock()
    hosts = [Host(ours, held, number) for number in range(len(folders))]
    try:
        for host in hosts:
            host.actual_bytes(NAMES[0])  # it is there
        yield hosts
    finally:
        ours.close()
        process.join(60)
        assert process.exitcode == 0


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


def want_more(host: Host) -> None:
    """Who holds the least needs more than that, and the others next to nothing."""
    hungry = min(NAMES, key=host.actual_bytes)
    for name in NAMES:
        host.set_hot(name, (330 if name == hungry else 40) * MIB)


def killed_again_and_again(folder: Path, host: Host, seed: int) -> tuple[int, int]:
    """How many rounds were flushed before a kill, and how many runs sent a target."""
    draw = random.Random(seed)
    flushed: set[float] = set()
    acted = 0
    for kill in range(KILLS):
        # Somebody always has work, and somebody else has something to spare.
        for name in NAMES:
            host.set_hot(name, draw.randrange(40, 330) * MIB)
        moves = kill % 5 == 4
        if moves:
            want_more(host)
        daemon = started(folder)
        try:
            if moves:  # while it moves memory
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
        with machines(folders) as hosts, ThreadPoolExecutor(CHAINS) as pool:
            done = list(pool.map(killed_again_and_again, folders, hosts, range(CHAINS)))
            assert all(rounds > 0 for rounds, _ in done), done
            assert all(acted > 0 for _, acted in done), "targets were sent, too"
            taken_up(folders[0], hosts[0])
        for folder in folders:
            with closing(sqlite3.connect(folder / "a.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def taken_up(folder: Path, host: Host) -> None:
    """The next daemon gives a guest that is hungry what it took from it before."""
    for name in NAMES:
        host.set_hot(name, 40 * MIB)
    daemon = started(folder)
    try:
        idle = "memory that lies idle is taken"
        daemon.until(lambda: host.actual_bytes("ada") < 400 * MIB, idle)
        held_bytes = host.actual_bytes("ada")
        host.set_hot("ada", 330 * MIB)
        wanted_bytes = held_bytes + 64 * MIB
        daemon.until(lambda: host.actual_bytes("ada") >= wanted_bytes, "it gets what it needs")
        assert daemon.stop() == 0
    finally:
        daemon.kill()
