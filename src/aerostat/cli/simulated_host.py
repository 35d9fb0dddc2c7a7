"""A daemon of simulated guests in a process of its own: for faces to show what they can do.

The loop, the decisions and the API are those of ``aerostat run``; guests and host are simulated,
and their load changes as that of real ones does. Nothing of this machine is touched.
"""

import asyncio
import multiprocessing
import random
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aerostat.api.gate import Tokens
from aerostat.api.listen import tcp_socket, unix_socket
from aerostat.api.seat import Seat
from aerostat.api.server import ApiServer, Listener
from aerostat.config import Config, default_config
from aerostat.control.board import Status
from aerostat.control.loop import Loop
from aerostat.daemon.faces import loop_asker
from aerostat.host.clock import SystemClock
from aerostat.model.modes import Mode
from aerostat.ports.errors import AerostatError
from aerostat.sim.constants import HostPhysics
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.physics import GuestBuild
from aerostat.sim.world import GuestSpec, World
from aerostat.store import Retention, Store
from aerostat.units import GIB, MIB

PATIENCE_S = 60.0
STEP_S = 0.5
CHANGE_EVERY_S = 2.0
"""So often the load of some guests changes."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a guest is there for: its size, and between which shares of it its hot set lies."""

    max_bytes: int
    calm_ratio: float
    busy_ratio: float
    files_ratio: float = 0.0


ROLES: Mapping[str, Role] = {
    "web": Role(GIB, 0.10, 0.45, 0.15),
    "db": Role(4 * GIB, 0.35, 0.60, 0.20),
    "ci": Role(2 * GIB, 0.05, 0.80),
    "cache": Role(2 * GIB, 0.40, 0.60),
    "dev": Role(GIB, 0.08, 0.50, 0.10),
    "batch": Role(2 * GIB, 0.05, 0.70),
}
ROOM_RATIO = 0.72
"""The host's RAM for guests over the sum of what they booted with."""


class SimulationError(AerostatError):
    """The simulated daemon did not come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpFace:
    """Where a browser finds it."""

    port: int
    token: str


@contextmanager
def simulated_host(guests: int, *, tcp: TcpFace | None = None) -> Iterator[Path]:
    """Run one for the length of a block; yields the socket of its API.

    Raises:
        SimulationError: it did not answer in time.
    """
    with tempfile.TemporaryDirectory(prefix="aerostat-simulated-") as folder:
        socket = Path(folder) / "api.sock"
        process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(socket, guests, tcp), daemon=True
        )
        process.start()
        try:
            give_up_s = time.monotonic() + PATIENCE_S
            while not socket.exists():
                if not process.is_alive() or time.monotonic() > give_up_s:
                    raise SimulationError("the simulated daemon did not start")
                time.sleep(0.05)
            yield socket
        finally:
            process.terminate()
            process.join()


def _serve(socket: Path, guests: int, tcp: TcpFace | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: for whoever started us
    asyncio.run(_live(socket, guests, tcp))


async def _live(socket: Path, guests: int, tcp: TcpFace | None) -> None:
    specs = _specs(guests)
    room_bytes = int(ROOM_RATIO * sum(spec.build.max_bytes for spec in specs))
    ram = HostPhysics(total_bytes=room_bytes + 2 * GIB, other_bytes=GIB, swap_bytes=4 * GIB)
    world = World(specs, host=ram, step_s=STEP_S)
    config = _config()
    clock = SystemClock()
    with Store(socket.with_name("aerostat.db"), retention=Retention()) as store:
        loop = Loop(
            driver=SimulatedDriver(world),
            sensor=SimulatedSensor(world.host),
            clock=clock,
            params=config.engine_params(),
            mode=Mode.ENFORCE,
            journal=store,
        )
        seat = Seat(
            board=loop.board,
            clock=clock,
            config=lambda: config,
            ask=loop_asker(loop),
            store_path=socket.with_name("aerostat.db"),
            health=store.health,
            started_wall_s=clock.wall_s(),
        )
        seat.follow()
        seen = asyncio.Event()

        def look(status: Status) -> None:
            if status.rounds > 1:
                seen.set()

        loop.board.follow(look)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(world.run())
            tasks.create_task(_change(world))
            tasks.create_task(loop.run())
            await seen.wait()
            with ApiServer(seat, _listeners(socket, tcp)):
                await asyncio.Event().wait()  # until the process is ended


def _config() -> Config:
    config = default_config(["/simulated/*.qmp"])
    return Config(document=config.document.model_copy(update={"mode": Mode.ENFORCE}))


def _listeners(socket: Path, tcp: TcpFace | None) -> list[Listener]:
    found = [
        Listener(where="unix", socket=unix_socket(socket, mode=0o600, group=None), path=socket)
    ]
    if tcp is not None:
        listening = tcp_socket("127.0.0.1", tcp.port)
        tokens = Tokens(control=tcp.token, read=None)
        found.append(Listener(where="tcp", socket=listening, tokens=tokens))
    return found


def _specs(guests: int) -> list[GuestSpec]:
    draw = random.Random(guests)
    roles = list(ROLES)
    numbers = [divmod(number, len(roles)) for number in range(guests)]
    return [
        GuestSpec(
            name=f"{roles[which]}-{count + 1:02}",
            build=GuestBuild(max_bytes=ROLES[roles[which]].max_bytes, free_page_reporting=True),
            load=_load(ROLES[roles[which]], draw),
        )
        for count, which in numbers
    ]


def _load(role: Role, draw: random.Random) -> Load:
    """What it does for the next while: mostly calm, sometimes busy."""
    busy = draw.betavariate(0.7, 1.6)
    hot_ratio = role.calm_ratio + (role.busy_ratio - role.calm_ratio) * busy
    return replace(
        Load(),
        hot_bytes=max(32 * MIB, int(role.max_bytes * hot_ratio)),
        file_bytes=int(role.max_bytes * role.files_ratio),
        file_pages_per_s=400.0 if role.files_ratio else 0.0,
    )


async def _change(world: World) -> None:
    """Some guests get something else to do, again and again."""
    draw = random.Random(1)
    names = [str(guest) for guest in world.guests]
    while True:
        await asyncio.sleep(CHANGE_EVERY_S)
        for name in draw.sample(names, max(1, len(names) // 60)):
            world.guest(name).set_load(_load(ROLES[name.partition("-")[0]], draw))
