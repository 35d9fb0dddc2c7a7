"""This machine's own system to try packages on: what is changed there is gone with the test.

An overlay over ``/`` in a mount namespace of its own; it ends with the process that holds it.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE_S = 300

_HOLD = """
set -e
cd "$1"
mount -t tmpfs -o size=512m tmpfs disk
mkdir disk/upper disk/work
mount -t overlay -o "lowerdir=/,upperdir=$1/disk/upper,workdir=$1/disk/work" overlay root
mount -t tmpfs tmpfs root/run
mount -t proc proc root/proc
mount --rbind /sys root/sys
mount --rbind /dev root/dev
mkdir root/run/vm
mount --bind "$2" root/run/vm
echo held
exec sleep infinity
"""


class CannotBeMadeError(Exception):
    """This process may not mount, or the kernel has no overlay."""


class DisposableRoot:
    """Runs commands on a system of its own."""

    def __init__(self, holder: int, path: Path) -> None:
        self._enter = ("nsenter", f"--target={holder}", "--mount", "chroot", str(path))
        self._seen = Path(f"/proc/{holder}/root{path}")

    def run(self, *command: str, is_checked: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = subprocess.run(
            [*self._enter, *command],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if is_checked:
            assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
        return done

    def start(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a command; what it says goes to a file."""
        with log.open("wb") as out:
            return subprocess.Popen(
                [*self._enter, *command],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def path(self, path: str) -> Path:
        """Where a file of that system is seen from here."""
        return self._seen / path.lstrip("/")


@contextmanager
def disposable_root(folder: Path, sockets: Path) -> Iterator[DisposableRoot]:
    """A system that lives as long as the block; ``sockets`` is its ``/run/vm``."""
    if os.geteuid() != 0:
        raise CannotBeMadeError("it takes root to mount")
    for name in ("disk", "root"):
        (folder / name).mkdir()
    command = ["unshare", "--mount", "sh", "-c", _HOLD, "sh", str(folder), str(sockets)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stderr is not None
    try:
        if holder.stdout.readline() != "held\n":
            raise CannotBeMadeError(holder.stderr.read().strip())
        yield DisposableRoot(holder.pid, folder / "root")
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
        holder.stderr.close()


def _environment() -> dict[str, str]:
    return {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
