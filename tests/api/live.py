"""A real loop on simulated guests in real time, with the real API before it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from aerostat.api.gate import Rates, Tokens
from aerostat.api.listen import tcp_socket, unix_socket
from aerostat.api.seat import Seat
from aerostat.api.server import ApiServer, Listener
from aerostat.config import Config, default_config
from aerostat.control.loop import Loop
from aerostat.daemon.faces import loop_asker
from aerostat.engine.params import EngineParams, HostParams
from aerostat.host.clock import SystemClock
from aerostat.model.modes import Mode
from aerostat.ports.journal import Journal, RoundRecord
from aerostat.sim.constants import HostPhysics
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.world import GuestSpec, World
from aerostat.store import Retention, Store
from aerostat.units import GIB, MIB
from certificates import Signed
from deadlines import PATIENCE_S

CONTROL = "control-token-of-the-tests"
READ = "read-token-of-the-tests"
MANY = 300
"""So many guests are moved in longer steps: here it is the faces that are looked at."""


class Nothing:
    """A journal that forgets."""

    def record(self, record: RoundRecord) -> None:
        """Forget it."""


class Live:
    """A host: its world, its loop, its API."""

    def __init__(  # a test says what it is about
        self,
        folder: Path,
        names: list[str],
        mode: Mode,
        *,
        has_store: bool,
        rates: Rates,
        faces: Mapping[str, Any],
        tls: Signed | None = None,
    ) -> None:
        self.tls = tls
        self.rates = rates
        self.faces = faces
        self.folder = folder
        self.socket = folder / "api.sock"
        self.mode = mode
        self.names = names
        self.store = Store(folder / "a.db", retention=Retention()) if has_store else None
        self.is_up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)
        self.failure: BaseException | None = None
        self.port = 0

    def config(self) -> Config:
        config = default_config(["/nowhere/*.qmp"])
        document = config.document.model_copy(update={"mode": self.mode})
        return Config(document=document)

    def start(self) -> None:
        self._thread.start()
        assert self.is_up.wait(PATIENCE_S), "the API is up"

    def stop(self) -> None:
        self._asyncio.call_soon_threadsafe(self.loop.request_stop)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the loop ends"
        if self.failure is not None:
            raise self.failure

    async def _live(self) -> None:
        try:
            await self._balance()
        except BaseException as error:
            self.failure = error
            self.is_up.set()
            raise

    async def _balance(self) -> None:
        self._asyncio = asyncio.get_running_loop()
        load = Load(hot_bytes=80 * MIB, heap_bytes=350 * MIB)
        ram = HostPhysics(total_bytes=max(4 * GIB, len(self.names) * 400 * MIB))
        step_s = 0.05 if len(self.names) < MANY else 0.5
        specs = [GuestSpec(name=name, load=load) for name in self.names]
        self.world = World(specs, host=ram, step_s=step_s)
        journal: Journal = Nothing() if self.store is None else self.store
        clock = SystemClock()
        budget = EngineParams(host=HostParams(budget_bytes=300 * MIB * len(self.names)))
        self.loop = Loop(
            driver=SimulatedDriver(self.world),
            sensor=SimulatedSensor(self.world.host),
            clock=clock,
            params=budget,
            mode=self.mode,
            journal=journal,
        )
        self.seat = Seat(
            board=self.loop.board,
            clock=clock,
            config=self.config,
            ask=loop_asker(self.loop),
            store_path=None if self.store is None else self.folder / "a.db",
            started_wall_s=clock.wall_s(),
            **self.faces,
        )
        self.seat.follow()
        tcp = tcp_socket("127.0.0.1", 0)
        self.port = tcp.getsockname()[1]
        listeners = [
            Listener(
                where="unix",
                socket=unix_socket(self.socket, mode=0o660, group=None),
                path=self.socket,
            ),
            Listener(
                where="tcp",
                socket=tcp,
                tokens=Tokens(control=CONTROL, read=READ),
                rates=self.rates,
                certificate=None if self.tls is None else self.tls.certificate,
                key=None if self.tls is None else self.tls.key,
            ),
        ]
        with ApiServer(self.seat, listeners):
            self.is_up.set()
            if self.store is not None:
                self.store.__enter__()
            async with asyncio.TaskGroup() as tasks:
                living = tasks.create_task(self.world.run())
                await self.loop.run()
                living.cancel()
            if self.store is not None:
                self.store.__exit__(None, None, None)

    def is_seen(self) -> bool:
        """Whether every guest has answered in the last round: on a busy machine some are late."""
        status = self.loop.board.status
        if status.last is None or status.rounds <= 2:
            return False
        return all(guest.actual_bytes is not None for guest in status.last.snapshot.guests)

    def client(self, **options: object) -> httpx.Client:
        """A client of the Unix socket."""
        transport = httpx.HTTPTransport(uds=str(self.socket))
        return httpx.Client(transport=transport, base_url="http://aerostat", timeout=60, **options)  # type: ignore[arg-type] # of httpx

    def over_tcp(self, token: str | None) -> httpx.Client:
        """A client of TCP."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60, trust_env=False
        )

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < give_up_s, f"{what}: not within {PATIENCE_S} s"
            time.sleep(0.02)


@contextmanager
def live(
    folder: Path,
    *,
    names: list[str] | None = None,
    mode: Mode = Mode.ENFORCE,
    has_store: bool = True,
    rates: Rates = Rates(),  # noqa: B008 # frozen
    tls: Signed | None = None,
    **faces: Any,
) -> Iterator[Live]:
    """A host that lives for the length of a block; ``faces``: what else its API looks at."""
    named = names or ["ada", "bob", "cleo"]
    host = Live(folder, named, mode, has_store=has_store, rates=rates, faces=faces, tls=tls)
    host.start()
    try:
        host.until(host.is_seen, "every guest is read")
        yield host
    finally:
        host.stop()
