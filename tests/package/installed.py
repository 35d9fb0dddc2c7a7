"""What an administrator and systemd do with the package: install it, start it, ask it."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from package.disposable_root import DisposableRoot

UNIT = "/usr/lib/systemd/system/aerostat.service"
PATIENCE_S = 180.0


class Started:
    """The daemon, as the unit starts it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self._log = process, log

    def has_said(self, word: str) -> bool:
        return word in self._log.read_text("utf-8")

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def started(system: DisposableRoot, log: Path) -> Started:
    """Do what systemd would by the unit: its folders, its command."""
    unit = system.path(UNIT).read_text("utf-8").splitlines()
    (command,) = (line.partition("=")[2] for line in unit if line.startswith("ExecStart="))
    for setting, under in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")):
        (name,) = (line.partition("=")[2] for line in unit if line.startswith(f"{setting}="))
        system.run("install", "-d", "-m", "0750", f"{under}/{name}")
    return Started(system.start(command.split(), log), log)


def asked_until(system: DisposableRoot, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    give_up_s = time.monotonic() + PATIENCE_S
    while True:
        done = system.run("aerostat", "status", "-o", "json", is_checked=False)
        if done.returncode == 0:
            state: dict[str, Any] = json.loads(done.stdout)
            if is_so(state):
                return state
        assert time.monotonic() < give_up_s, done.stdout
        time.sleep(0.2)


def install(system: DisposableRoot, package: Path) -> None:
    goal = system.path(f"/root/{package.name}")
    shutil.copyfile(package, goal)
    # As unattended upgrades do: a configuration that was edited stays, and nobody is asked.
    system.run("dpkg", "--force-confdef", "--force-confold", "--install", f"/root/{package.name}")
