"""A lab machine: a QEMU with its files, cgroup, workload port and health, from start to end."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

from aerostat.lab.image import GuestImage
from aerostat.lab.machine.belongings import Belongings, read_tail
from aerostat.lab.machine.cgroup import MemoryGroup
from aerostat.lab.machine.command import MachineFiles, qemu_command
from aerostat.lab.machine.errors import MachineError
from aerostat.lab.machine.health import (
    Health,
    HealthState,
    exit_health,
    panic_health,
    silence_health,
    workload_health,
)
from aerostat.lab.machine.lines import Hello, StallBegan
from aerostat.lab.machine.monitor import LabMonitor
from aerostat.lab.machine.port import WorkloadPort
from aerostat.lab.machine.process import QemuProcess
from aerostat.lab.machine.spec import MachineSpec
from aerostat.lab.recording import WorkloadSample

_WATCH_S = 0.5
_LAUNCH_S = 10.0


class Machine:
    """One machine, for use as ``async with Machine.start(spec, image, run_dir) as machine``.

    Leaving the block ends QEMU and removes the machine's files and cgroup, whatever happened.
    """

    def __init__(
        self, spec: MachineSpec, image: GuestImage, run_dir: Path, *, hung_after_s: float
    ) -> None:
        self.spec = spec
        self.files = MachineFiles.below(run_dir, spec.name)
        self._belongings = Belongings(spec, image, self.files)
        self.monitor = LabMonitor(spec.name, self.files.lab_qmp)
        self._image = image
        self._hung_after_s = hung_after_s
        self._port = WorkloadPort(spec.name)
        self._process: QemuProcess | None = None
        self._silence: Health | None = None
        self._end: Health | None = None
        self._cpu_at_last_line_s: float | None = None
        self._watcher = asyncio.TaskGroup()
        self._watch_task: asyncio.Task[None] | None = None

    @classmethod
    def start(
        cls, spec: MachineSpec, image: GuestImage, run_dir: Path, *, hung_after_s: float = 10.0
    ) -> Self:
        """Describe a machine that starts when its ``async with`` block is entered.

        Args:
            spec: the machine.
            image: what it boots.
            run_dir: an existing directory for its sockets, console and swap file.
            hung_after_s: silence after which it is looked at more closely; the workload says
                something every second.
        """
        return cls(spec, image, run_dir, hung_after_s=hung_after_s)

    async def __aenter__(self) -> Self:
        try:
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        await self._watcher.__aenter__()
        self._watch_task = self._watcher.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.stop()
        finally:
            # Not told of the block's exception, or the group would wrap it in one of its own.
            await self._watcher.__aexit__(None, None, None)

    @property
    def pid(self) -> int:
        """The process id of its QEMU."""
        return self._running().pid

    @property
    def hello(self) -> Hello | None:
        """What the guest said when it had booted."""
        return self._port.hello

    @property
    def stall(self) -> StallBegan | None:
        """The last that the guest told of, after the order ``stall tell``."""
        return self._port.stall

    @property
    def latest(self) -> WorkloadSample | None:
        """The newest sample."""
        return self._port.latest

    @property
    def garbage_lines(self) -> int:
        """Lines from the guest that were not what its workload writes."""
        return self._port.garbage_lines

    @property
    def health(self) -> Health:
        """How it is, as of the last look (twice a second)."""
        if self._end is not None:
            return self._end
        if self._port.ended is not None:
            return workload_health(self._port.ended.status)
        if self._silence is not None:
            return self._silence
        if self._port.hello is None:
            return Health(state=HealthState.BOOTING, words="it has not said hello yet")
        return Health(state=HealthState.RUNNING, words="it runs")

    def take_sample(self) -> WorkloadSample | None:
        """Take the oldest sample nobody has taken yet, if there is one."""
        return self._port.take_sample()

    def samples(self) -> AsyncIterator[WorkloadSample]:
        """Take its samples as they come, until its end; for one taker."""
        return self._port.samples()

    def send(self, order: str) -> None:
        """Send an order.

        ``hot BYTES``, ``jump BYTES`` (the same, and every page of it touched at once), ``reads
        BYTES`` (of files, by requests, again and again), ``rate N``,
        ``keep release|cold``, ``balloon hung|works``, ``stall tell``, ``report now`` or ``quit``.

        Or ``files BYTES``, which are read once and then lie in the page cache.

        Raises:
            MachineError: nobody can hear it any more.
        """
        self._port.send(order)

    def cpu_s(self) -> float | None:
        """Processor time its QEMU has used."""
        return self._running().cpu_s()

    def waited_s(self) -> float | None:
        """Time its QEMU was ready to run and others had the processors; None: not known."""
        return self._running().waited_s()

    def cgroup_usage_bytes(self) -> int | None:
        """What the host holds for it, by its memory cgroup; None without one."""
        return None if self.cgroup is None else self.cgroup.usage_bytes()

    @property
    def cgroup(self) -> MemoryGroup | None:
        """Its memory cgroup; without one, ``notes`` has the reason."""
        return self._belongings.group

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as it should be on this host, in words."""
        return tuple(self._belongings.notes)

    async def wait_booted(self, deadline_s: float) -> Hello:
        """Wait until the guest says hello.

        Raises:
            MachineError: it died, took too long, or has not the swap that was asked for.
        """
        try:
            async with asyncio.timeout(deadline_s):
                while self._port.hello is None and self._port.is_open:
                    await self._port.news()
                if self._port.hello is None:
                    await self._running().wait()
        except TimeoutError:
            pass
        hello = self._port.hello
        if hello is None:
            self._note_end()
            why = f"no hello within {deadline_s:g} s" if self._end is None else self._end.words
            raise MachineError(f"{self.spec.name} did not boot: {why}{self._last_words()}")
        if hello.swap != self.spec.swap:
            raise MachineError(
                f"{self.spec.name} booted with swap {hello.swap} instead of {self.spec.swap}"
                f"{self._last_words()}"
            )
        return hello

    async def stop(self) -> None:
        """End it and remove all it had; harmless when repeated."""
        if self._watch_task is not None:
            self._watch_task.cancel()
        try:
            if self._process is not None:
                self._note_end()
                self._process.cpu_s()
                await self._process.stop()
                self._end = self._end or Health(
                    state=HealthState.EXITED, words="it was stopped by the lab"
                )
        finally:
            self._port.close()
            await self._belongings.remove()

    async def _launch(self) -> None:
        swap_cache = self._belongings.prepare()
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.setblocking(True)
            command = qemu_command(
                self.spec,
                self._image,
                self.files,
                port_fd=theirs.fileno(),
                swap_cache=swap_cache,
            )
            ours.setblocking(False)
            await asyncio.get_running_loop().create_unix_connection(lambda: self._port, sock=ours)
            try:
                self._process = await QemuProcess.start(
                    command,
                    group=self.cgroup,
                    huge_pages=self.spec.huge_pages,
                    port_fd=theirs.fileno(),
                    errors=self.files.errors,
                )
            except OSError as error:
                raise MachineError(f"cannot start {self.spec.name}: {error}") from error
        await self._wait_launched(self._process)
        self._belongings.check_joined(self._process.pid)

    async def _wait_launched(self, process: QemuProcess) -> None:
        """Wait until QEMU's monitor answers: it does once all devices are there."""
        deadline_s = time.monotonic() + _LAUNCH_S
        while not self.files.lab_qmp.exists() or await self.monitor.status() is None:
            if process.returncode is not None or time.monotonic() > deadline_s:
                raise MachineError(f"QEMU of {self.spec.name} did not start{self._last_words()}")
            await asyncio.sleep(0.01)

    async def _watch(self) -> None:
        """Look after the machine until it ends."""
        process = self._running()
        while process.returncode is None:
            silent_s = time.monotonic() - self._port.last_line_s
            if self._port.hello is None or silent_s < self._hung_after_s:
                self._silence = None
                self._cpu_at_last_line_s = process.cpu_s()
            else:
                self._silence = await self._explain_silence(process, silent_s)
            try:
                async with asyncio.timeout(_WATCH_S):
                    await process.wait()
            except TimeoutError:
                continue
        self._note_end()

    async def _explain_silence(self, process: QemuProcess, silent_s: float) -> Health:
        # A kernel that is told not to reboot (panic=0) keeps its QEMU running.
        panic = panic_health(read_tail(self.files.console))
        if panic is not None:
            return panic
        state = process.state()
        before_s, now_s = self._cpu_at_last_line_s, process.cpu_s()
        return silence_health(
            silent_s=silent_s,
            # A stopped process answers nobody: do not wait for it.
            vm_status=None if state in {"T", "t"} else await self.monitor.status(),
            process_state=state,
            cpu_s=None if before_s is None or now_s is None else now_s - before_s,
        )

    def _note_end(self) -> None:
        returncode = None if self._process is None else self._process.returncode
        if self._end is None and returncode is not None:
            kills = None if self.cgroup is None else self.cgroup.oom_kills()
            self._end = exit_health(returncode, read_tail(self.files.console), oom_kills=kills)

    def _last_words(self) -> str:
        said = [read_tail(path).strip() for path in (self.files.errors, self.files.console)]
        return "".join(f"\n{text[-2000:]}" for text in said if text)

    def _running(self) -> QemuProcess:
        if self._process is None:
            raise MachineError(f"{self.spec.name} has not been started")
        return self._process
