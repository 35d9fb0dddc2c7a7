"""The sockets the API listens on: a Unix socket with permissions, and TCP where asked for."""

import contextlib
import grp
import os
import socket
import stat
from pathlib import Path

from aerostat.ports.errors import AerostatError

BACKLOG = 64


class ListenError(AerostatError):
    """The API cannot listen there; the message says why."""


def unix_socket(path: Path, *, mode: int, group: str | None) -> socket.socket:
    """Listen on a Unix socket that only those may open whom its file lets.

    A socket that nobody serves any more is taken over; one that a daemon serves is left alone.

    Raises:
        ListenError: it cannot be made, or another daemon has it.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _remove_stale(path)
        # Made for its owner alone and opened wider afterwards: at no moment is it too wide.
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        if group is not None:
            os.chown(path, -1, grp.getgrnam(group).gr_gid)
        path.chmod(mode)
        listener.listen(BACKLOG)
    except KeyError as error:
        listener.close()
        raise ListenError(f"{path}: there is no group {group!r}") from error
    except OSError as error:
        listener.close()
        raise ListenError(f"{path}: {error.strerror or error}") from error
    except ListenError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ListenError(f"{path}: there is a file of that name that is no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise ListenError(f"{path}: another daemon serves it")


def tcp_socket(host: str, port: int) -> socket.socket:
    """Listen on TCP.

    Raises:
        ListenError: the address is not ours, or somebody else has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(f"{host}:{port}: {error.strerror or error}") from error
    return listener
