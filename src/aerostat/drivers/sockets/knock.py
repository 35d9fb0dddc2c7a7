"""Knocks at a VM's socket: is somebody there, and which process is it?"""

import socket
import struct
from pathlib import Path

from aerostat.drivers.sockets.errors import NotConnectedError, NotListeningError


def knock(path: Path) -> socket.socket:
    """Connect without waiting.

    Raises:
        NotListeningError: no socket is there, or a dead process's.
        NotConnectedError: its queue is full, or the socket may not be used.
    """
    knocking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    knocking.setblocking(False)
    try:
        knocking.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        knocking.close()
        raise NotListeningError(f"{path}: {error.strerror}") from error
    except BlockingIOError as error:
        knocking.close()
        raise NotConnectedError(f"{path}: other clients hold it and wait for it") from error
    except OSError as error:
        knocking.close()
        raise NotConnectedError(f"{path}: {error.strerror or error}") from error
    return knocking


def peer_pid(connected: socket.socket) -> int | None:
    """The listener's process; zero, which means "not visible from this namespace", is absent."""
    layout = "iII"  # struct ucred: pid, uid, gid
    raw = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(layout))
    pid: int = struct.unpack(layout, raw)[0]
    return pid if pid > 0 else None
