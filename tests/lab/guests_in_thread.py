"""Booted guests for tests that wait for other processes: they live in a thread of their own."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from aerostat.lab.image import GuestImage
from aerostat.lab.machine import HealthState, Machine, MachineSpec, MemoryGroup
from aerostat.lab.recording import WorkloadSample
from deadlines import PATIENCE_S
from lab.patience import BOOT_S

_BALLOON = "/machine/peripheral/balloon0"
_PERIOD = "guest-stats-polling-interval"
ResultT = TypeVar("ResultT")


class Guests:
    """Machines by name, with the questions and orders that a test has for them."""

    def __init__(self, specs: Sequence[MachineSpec], image: GuestImage, run_dir: Path) -> None:
        self._specs = specs
        self._image = image
        self._run_dir = run_dir
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._stack = AsyncExitStack()
        self._machines: dict[str, Machine] = {}

    @property
    def sockets(self) -> str:
        """The glob that a daemon finds them by."""
        return str(self._run_dir / "*.qmp")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._machines)

    def boot(self) -> None:
        """Start and boot all of them."""
        self._thread.start()  # QEMU dies with the thread that starts it
        self._do(self._boot())

    def end(self) -> None:
        """End all of them, whatever state they are in."""
        try:
            self._do(self._stack.aclose())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def socket(self, name: str) -> Path:
        """The monitor that a daemon would use."""
        return self._machines[name].files.qmp

    def held_bytes(self, name: str) -> int | None:
        """What the host holds for it; None where there are no memory cgroups."""
        return self._machines[name].cgroup_usage_bytes()

    def cgroup(self, name: str) -> MemoryGroup | None:
        return self._machines[name].cgroup

    @property
    def are_well(self) -> bool:
        """Whether all are alive, as booted."""
        return all(machine.health.is_well for machine in self._machines.values())

    def pid(self, name: str) -> int:
        return self._machines[name].pid

    def latest(self, name: str) -> WorkloadSample:
        sample = self._machines[name].latest
        assert sample is not None, f"{name} has said nothing yet"
        return sample

    def health(self, name: str) -> HealthState:
        return self._machines[name].health.state

    def order(self, name: str, order: str) -> None:
        """Tell the workload something."""

        async def tell() -> None:
            self._machines[name].send(order)

        self._do(tell())

    def execute(self, name: str, command: str, **arguments: object) -> Any:
        """Run a command on the lab's own monitor of a guest."""
        monitor = self._machines[name].monitor
        return self._do(monitor.execute(command, arguments, deadline_s=PATIENCE_S))

    def actual_bytes(self, name: str) -> int:
        return int(self.execute(name, "query-balloon")["actual"])

    def total_actual_bytes(self) -> int:
        return sum(self.actual_bytes(name) for name in self.names)

    def statistics_period_s(self, name: str) -> int:
        return int(self.execute(name, "qom-get", path=_BALLOON, property=_PERIOD))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition; a failure tells how the guests are."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < give_up_s, f"{what}: not in {PATIENCE_S} s; {self._account()}"
            time.sleep(0.05)

    def live_on(self, seconds: int) -> None:
        """Wait until every guest has lived for so long: they report once a second.

        Not by their clocks: one was seen to jump by 13 minutes.
        """
        heard = {name: {self.latest(name).received_s} for name in self.names}

        def have_lived() -> bool:
            for name in self.names:
                heard[name].add(self.latest(name).received_s)
            return all(len(times) > seconds for times in heard.values())

        self.until(have_lived, f"{seconds} s of the guests' own time")

    def rest(self, hot_bytes: int) -> None:
        """Everybody small and at its max, running, and reporting to nobody."""
        for name, machine in self._machines.items():
            # First of all nothing: what was kept cold is only released by a smaller hot set.
            for order in ("balloon works", "reads 0", "files 0", "keep release", "hot 0"):
                self.order(name, order)
            self.order(name, f"rate {machine.spec.workload.rate}")
            self.execute(name, "balloon", value=self._machines[name].spec.ram_bytes)
            self.execute(name, "qom-set", path=_BALLOON, property=_PERIOD, value=0)
        self.until(self._is_at_rest(0), "everybody released all")
        for name in self.names:
            self.order(name, f"hot {hot_bytes}")
        self.until(self._is_at_rest(hot_bytes), "everybody at rest")

    def _is_at_rest(self, hot_bytes: int) -> Callable[[], bool]:
        def at_rest() -> bool:
            return all(
                self.actual_bytes(name) == machine.spec.ram_bytes
                and self.latest(name).hot_bytes == hot_bytes
                and self.latest(name).heap_bytes <= hot_bytes
                and self.latest(name).free_bytes > machine.spec.ram_bytes // 3
                for name, machine in self._machines.items()
            )

        return at_rest

    def _account(self) -> Mapping[str, object]:
        return {name: (m.health, m.latest) for name, m in self._machines.items()}

    async def _boot(self) -> None:
        for spec in self._specs:
            machine = Machine.start(spec, self._image, self._run_dir)
            self._machines[spec.name] = await self._stack.enter_async_context(machine)
        for machine in self._machines.values():
            await machine.wait_booted(BOOT_S)
            while machine.latest is None:
                await machine.wait_booted(BOOT_S)
                await asyncio.sleep(0.05)

    def _do(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * BOOT_S)


@contextmanager
def booted_guests(
    specs: Sequence[MachineSpec], image: GuestImage, run_dir: Path
) -> Iterator[Guests]:
    """Guests that end with the block, whatever happened."""
    guests = Guests(specs, image, run_dir)
    try:
        guests.boot()
        yield guests
    finally:
        guests.end()
