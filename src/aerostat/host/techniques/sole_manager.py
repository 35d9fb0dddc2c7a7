"""One manager of this host's techniques at a time: daemon, lab and clean-up use the same knobs.

Each has an undo log of its own, and a lock on that keeps nobody else from the knobs. So there is
one lock for the machine, below ``/run``, and in it who holds it.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.technique import TechniqueError

LOCK = "/run/aerostat/techniques.lock"


@contextmanager
def sole_manager(kernel: Kernel) -> Iterator[None]:
    """Be the only one on this host that manages its techniques.

    Who may not write below ``/run`` may not set the host's knobs either, or is shut in where the
    operator let only those through: then the lock on its undo log has to do.

    Raises:
        TechniqueError: another one is; the message says who.
    """
    lock = kernel.path(LOCK)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield
        return
    try:
        _take(number, lock)
        yield
    finally:
        os.close(number)


def _take(number: int, lock: Path) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        who = os.pread(number, 200, 0).decode(errors="replace").strip() or "another process"
        raise TechniqueError(
            f"another Aerostat manages this host's techniques: {who} holds {lock}; two would undo "
            "each other's settings"
        ) from error
    os.ftruncate(number, 0)
    os.pwrite(number, f"process {os.getpid()} ({_command()})\n".encode(), 0)


def _command() -> str:
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:3]])
