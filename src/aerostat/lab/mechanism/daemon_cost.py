"""What the daemon itself takes: a real process on real guests, its CPU and memory by the kernel."""

import asyncio
import os
import signal
import time
from pathlib import Path

from aerostat.host.process_memory import parse_kilobytes
from aerostat.lab.itself import itself
from aerostat.lab.machine.errors import MachineError
from aerostat.lab.mechanism.found import DaemonCost

SETTLE_S = 5.0
WATCH_S = 20.0
_STOP_S = 10.0
_UTIME, _STIME = 11, 12  # of the fields that follow the name in /proc/PID/stat


async def daemon_cost(run_dir: Path, guests: int) -> DaemonCost:
    """Let a daemon balance the guests of a directory for a while, its store included.

    Raises:
        MachineError: it ended early.
    """
    process = await asyncio.create_subprocess_exec(
        *itself("run", "--mode", "enforce", "--qmp", str(run_dir / "*.qmp")),
        *("--store", str(run_dir / "mechanism.db")),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.sleep(SETTLE_S)
        before_s, began_s = _cpu_s(process.pid), time.monotonic()
        await asyncio.sleep(WATCH_S)
        after_s, watched_s = _cpu_s(process.pid), time.monotonic() - began_s
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError as error:
        raise MachineError(f"the daemon to be measured ended early: {error}") from error
    finally:
        await _stop(process)
    return DaemonCost(
        guests=guests,
        watched_s=watched_s,
        cpu_s=after_s - before_s,
        peak_rss_bytes=parse_kilobytes(status, name="VmHWM") or 0,
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")
