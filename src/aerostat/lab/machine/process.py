"""A machine's QEMU process: started tied to the lab's life, watched in /proc, ended for certain."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from aerostat.lab.machine.cgroup import MemoryGroup

_TERM_S = 3.0
_KILL_S = 10.0
_LAUNCH = Path(__file__).with_name("launch.py")


class QemuProcess:
    """One running, or ended, QEMU."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._cpu_s: float | None = None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        group: MemoryGroup | None,
        huge_pages: bool,
        port_fd: int,
        errors: Path,
    ) -> "QemuProcess":
        """Start it inside its cgroup; it dies with the thread that runs the event loop."""
        procs = "-" if group is None else str(group.procs)
        launch = [str(_LAUNCH), str(os.getpid()), procs, "on" if huge_pages else "off"]
        with errors.open("wb") as error_file:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", *launch, *command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=error_file,
                pass_fds=(port_fd,),
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """The id of the process, also after its end."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end."""
        return await self._process.wait()

    def state(self) -> str | None:
        """Its state's letter: R, S, D, T for stopped; None: it has ended."""
        fields = self._stat()
        return fields[0] if fields else None

    def cpu_s(self) -> float | None:
        """Seconds of processor time used so far, or as far as known at its end."""
        fields = self._stat()
        if fields and fields[0] != "Z":
            self._cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return self._cpu_s

    def waited_s(self) -> float | None:
        """Seconds its threads were ready to run and had no processor; None: not known.

        Other load on the machine takes them; a guest that waits here looks like one that stalls.
        """
        waited_ns = 0
        try:
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                waited_ns += int((task / "schedstat").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return None
        return waited_ns / 1e9

    def _stat(self) -> list[str] | None:
        if self.returncode is not None:
            return None
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return None
        return text.rpartition(")")[2].split()

    async def stop(self) -> None:
        """End it: politely first, and by force where it is stuck or stopped."""
        for order, patience_s in ((signal.SIGTERM, _TERM_S), (signal.SIGKILL, _KILL_S)):
            if self.returncode is not None:
                return
            if order == signal.SIGTERM and self.state() in {"T", "t"}:
                continue  # a stopped process does not hear it
            self.send_signal(order)
            try:
                async with asyncio.timeout(patience_s):
                    await self._process.wait()
            except TimeoutError:
                continue
            except asyncio.CancelledError:
                self.send_signal(signal.SIGKILL)
                raise

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            self._process.send_signal(number)
