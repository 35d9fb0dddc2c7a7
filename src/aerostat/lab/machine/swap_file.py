"""The file behind a machine's swap disk."""

import errno
import os
from pathlib import Path

from aerostat.lab.machine.errors import MachineError


def allocate_swap_file(path: Path, size_bytes: int) -> None:
    """Make the file with all its blocks: allocating during a run would be measured with it.

    Raises:
        MachineError: there is no room for it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)
    except OSError as error:
        path.unlink()
        raise MachineError(f"{path}: no {size_bytes} bytes for a swap file: {error}") from error
    finally:
        os.close(descriptor)


def has_direct_io(path: Path) -> bool:
    """Tell whether the file can be used past the host's page cache (some tmpfs cannot)."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_DIRECT | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EINVAL:
            return False
        raise
    return True
