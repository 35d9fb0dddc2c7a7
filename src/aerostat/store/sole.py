"""One daemon to a store: a second one would write its own view into the first one's history."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aerostat.store.errors import StoreError


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Be the only daemon of this store, and of the orders beside it, for the length of a block.

    The kernel lets go of the lock with the process, however that ends. Where its file cannot be
    made there is no lock: the store says itself what is wrong there.

    Raises:
        StoreError: another daemon has it.
    """
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = os.open(
            path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640
        )
    except OSError:
        yield
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                path,
                "another daemon writes to it: stop that one first, or name another (--store FILE)",
            ) from error
        yield
    finally:
        os.close(lock)
