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
from functools import partial
from pathlib import Path

from aerostat.api.gate import Tokens
from aerostat.api.listen import tcp_socket, unix_socket
from aerostat.api.seat import Seat
from aerostat.api.server import ApiServer, Listener
from aerostat.cli.simulated_looks import examined, techniques_in
from aerostat.config import Config, default_config
from aerostat.config.document import LadderTable
from aerostat.control.board import Status
from aerostat.control.loop import Loop
from aerostat.daemon.faces import loop_asker
from aerostat.engine.params import LadderParams
from aerostat.model.host_state import LadderStep
from aerostat.model.modes import Mode
from aerostat.ports.errors import AerostatError
from aerostat.ports.journal import RoundRecord
from aerostat.sim.constants import HostPhysics
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.physics import GuestBuild
from aerostat.sim.techniques import SimulatedTechniques
from aerostat.sim.virtual_time import SimClock, SimLoop
from aerostat.sim.world import GuestSpec, World
from aerostat.store import Retention, Store
from aerostat.units import GIB, MIB

PATIENCE_S = 60.0
STEP_S = 0.5
CHANGE_EVERY_S = 2.0
"""So often the load of some guests changes."""
WITHOUT_DRIVER = "dev-02"
"""On a host of many guests one has no balloon driver: the doctor has something to find."""
MANY = 20
WAITING_MAX = 64
"""So many rounds may wait for the disk while the past is simulated."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a guest is there for: its size, and between which shares of it its hot set lies."""

    max_bytes: int
    calm_ratio: float
    busy_ratio: float
    files_ratio: float = 0.0
    has_agent: bool = False
    reports_free_pages: bool = True


ROLES: Mapping[str, Role] = {
    "web": Role(GIB, 0.10, 0.45, 0.15, has_agent=True),
    "db": Role(4 * GIB, 0.20, 0.60, 0.25, has_agent=True),
    "ci": Role(2 * GIB, 0.05, 0.80, has_agent=True),
    "cache": Role(2 * GIB, 0.40, 0.60),
    "dev": Role(GIB, 0.08, 0.50, 0.10),
    "batch": Role(2 * GIB, 0.05, 0.70, reports_free_pages=False),
}
ROOM_RATIO = 0.58
"""The host's RAM for guests over the sum of what they booted with."""
IDENTICAL_BYTES = 16 * MIB
"""Of each guest: the programs that all of them have."""


class SimulationError(AerostatError):
    """The simulated daemon did not come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpFace:
    """Where a browser finds it."""

    port: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is to be simulated."""

    guests: int
    tcp: TcpFace | None = None
    past_s: float = 0.0


@contextmanager
def simulated_host(
    guests: int, *, tcp: TcpFace | None = None, past_s: float = 0.0, patience_s: float = PATIENCE_S
) -> Iterator[Path]:
    """Run one for the length of a block; yields the socket of its API.

    Args:
        guests: how many.
        tcp: where else it listens.
        past_s: so long it has been running already, simulated as fast as this machine can.
        patience_s: it has to be up by then.

    Raises:
        SimulationError: it did not answer in time.
    """
    with tempfile.TemporaryDirectory(prefix="aerostat-simulated-") as folder:
        socket = Path(folder) / "api.sock"
        process = multiprocessing.get_context("spawn").Process(
            target=_serve,
            args=(socket, _Wanted(guests=guests, tcp=tcp, past_s=past_s)),
            daemon=True,
        )
        process.start()
        try:
            give_up_s = time.monotonic() + patience_s
            while not socket.exists():
                if not process.is_alive() or time.monotonic() > give_up_s:
                    raise SimulationError("the simulated daemon did not start")
                time.sleep(0.05)
            yield socket
        finally:
            process.terminate()
            process.join()


def _serve(socket: Path, wanted: _Wanted) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: for whoever started us
    with asyncio.Runner(loop_factory=SimLoop) as runner:
        runner.run(_live(socket, wanted))


async def _live(socket: Path, wanted: _Wanted) -> None:
    started_s, running = time.monotonic(), asyncio.get_running_loop()
    assert isinstance(running, SimLoop)
    clock = SimClock(running, wall_start_s=time.time() - wanted.past_s)
    world = _world(wanted.guests)
    config = _config()
    path = socket.with_name("aerostat.db")
    with Store(path, retention=Retention()) as store:
        journal = _Patient(store)
        loop = Loop(
            driver=SimulatedDriver(world),
            sensor=SimulatedSensor(world.host),
            clock=clock,
            params=config.engine_params(),
            mode=Mode.ENFORCE,
            journal=journal,
            techniques=SimulatedTechniques(world),
        )
        seat = Seat(
            board=loop.board,
            clock=clock,
            config=lambda: config,
            ask=loop_asker(loop),
            store_path=path,
            health=store.health,
            started_wall_s=clock.wall_s(),
            doctor=partial(examined, world, loop.board, socket.parent),
            techniques=partial(techniques_in, world),
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
            await _catch_up(running, past_s=wanted.past_s, started_s=started_s)
            journal.is_patient = False
            with ApiServer(seat, _listeners(socket, wanted.tcp)):
                await asyncio.Event().wait()  # until the process is ended


async def _catch_up(running: SimLoop, *, past_s: float, started_s: float) -> None:
    """Live through the past as fast as can be, and the time that takes as well; then in step."""
    # Sleeping is what makes this time pass; the last step is never quite caught up with.
    while past_s + time.monotonic() - started_s - running.time() > STEP_S:  # noqa: ASYNC110
        await asyncio.sleep(STEP_S)
    running.keep_pace(1.0)


@dataclass
class _Patient:
    """While the past is simulated, much faster than it was, the disk is waited for."""

    store: Store
    is_patient: bool = True

    def record(self, record: RoundRecord) -> None:
        """Keep it."""
        while self.is_patient and self.store.waiting() > WAITING_MAX:
            time.sleep(0.001)
        self.store.record(record)


def _world(guests: int) -> World:
    specs = _specs(guests)
    room_bytes = int(ROOM_RATIO * sum(spec.build.max_bytes for spec in specs))
    ram = HostPhysics(
        total_bytes=room_bytes + 3 * GIB,
        other_bytes=2 * GIB,
        swap_bytes=8 * GIB,
        swap_sticks=True,
        merge_scan_bytes_per_s=20 * MIB * guests,
    )
    world = World(specs, host=ram, step_s=STEP_S)
    if guests >= MANY:
        world.guest(WITHOUT_DRIVER).faults.has_driver = False
    return world


def _config() -> Config:
    config = default_config(["/simulated/*.qmp"])
    short = LadderParams()
    ladder = LadderTable(
        comfortable=(*short.comfortable, LadderStep.MERGE),
        soft=(*short.soft, LadderStep.MERGE),
        hard=(*short.hard, LadderStep.MERGE, LadderStep.SWAP),
        critical=(*short.critical, LadderStep.MERGE, LadderStep.SWAP),
    )
    update = {"mode": Mode.ENFORCE, "ladder": ladder}
    return Config(document=config.document.model_copy(update=update))


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
            build=_build(ROLES[roles[which]]),
            load=_load(ROLES[roles[which]], draw),
        )
        for count, which in numbers
    ]


def _build(role: Role) -> GuestBuild:
    return GuestBuild(
        max_bytes=role.max_bytes,
        free_page_reporting=role.reports_free_pages,
        has_agent=role.has_agent,
    )


def _load(role: Role, draw: random.Random) -> Load:
    """What it does for the next while: mostly calm, sometimes busy."""
    busy = draw.betavariate(0.7, 1.6)
    hot_ratio = role.calm_ratio + (role.busy_ratio - role.calm_ratio) * busy
    return replace(
        Load(),
        hot_bytes=max(32 * MIB, int(role.max_bytes * hot_ratio)),
        file_bytes=int(role.max_bytes * role.files_ratio),
        file_pages_per_s=400.0 if role.files_ratio else 0.0,
        identical_bytes=IDENTICAL_BYTES,
    )


async def _change(world: World) -> None:
    """Some guests get something else to do, again and again."""
    draw = random.Random(1)
    names = [str(guest) for guest in world.guests]
    while True:
        await asyncio.sleep(CHANGE_EVERY_S)
        for name in draw.sample(names, max(1, len(names) // 60)):
            world.guest(name).set_load(_load(ROLES[name.partition("-")[0]], draw))
