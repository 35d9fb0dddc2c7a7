"""The host's end of an agent's vsock, where it is a socket of files (hybrid vsock).

Cloud Hypervisor and Firecracker pass a guest's connection to port N of the host on to a Unix socket
that whoever wants to hear it makes: the path of the VM's vsock, and ``_N`` behind it.
"""

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from aerostat.drivers.agent.channel import AGAIN_S, AgentListener
from aerostat.drivers.agent.heard import HeardAgent
from aerostat.drivers.sockets.errors import NotConnectedError, NotListeningError
from aerostat.drivers.sockets.knock import knock
from aerostat.ports.clock import Clock

VSOCK_PORT = 6360
"""Of the host, which the agent's unit for vsock names as well."""
ACCEPT_GAP_S = 1.0
"""Whoever in the guest hangs up and calls again is taken in once in so long."""
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)


class DoorTakenError(Exception):
    """Somebody else listens for this VM's agent, or something else lies in the way."""


def agent_door(vsock: Path) -> Path:
    """Where an agent's connection arrives: ``web.vsock_6360`` for the vsock ``web.vsock``."""
    return vsock.with_name(f"{vsock.name}_{VSOCK_PORT}")


def seen_from_here(path: Path, pid: int | None) -> Path:
    """A path as the process of a VMM means it: from where it runs, and in its jail if it has one.

    Where that process cannot be looked at, the path is taken as it stands.
    """
    if pid is None:
        return path
    process = Path("/proc") / str(pid)
    try:
        absolute = (process / "cwd").readlink() / path
        jail, ours = (process / "root").stat(), Path("/").stat()
    except OSError:
        return path
    if (jail.st_dev, jail.st_ino) == (ours.st_dev, ours.st_ino):
        return absolute
    return process / "root" / absolute.relative_to("/")


class AgentDoor:
    """Listens for one VM's agent, as long as it is kept; whoever calls is heard until the end.

    Args:
        vsock: the VM's vsock, as seen from here.
        heard: what is made of the agent's lines.
        clock: of the daemon.
    """

    def __init__(self, vsock: Path, heard: HeardAgent, *, clock: Clock) -> None:
        self._vsock = vsock
        self._heard = heard
        self._clock = clock

    async def keep(self) -> None:
        """Listen, and begin again; never ends by itself, and never fails."""
        while True:
            try:
                with _listening(agent_door(self._vsock), vsock=self._vsock) as door:
                    await self._answer(door)
            except DoorTakenError as error:
                self._heard.complain(str(error))
            except OSError as error:
                # Whether one wants an agent is not known: that there can be none is no trouble.
                if error.errno not in _NOT_OURS and not isinstance(error, FileNotFoundError):
                    self._heard.complain(f"it cannot be listened for: {error}")
            await asyncio.sleep(AGAIN_S)

    async def _answer(self, door: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connected, _ = await loop.sock_accept(door)
            listener = AgentListener(self._heard, self._clock)
            try:
                await loop.connect_accepted_socket(lambda: listener, sock=connected)  # noqa: B023 # called at once
                await listener.ended.wait()
            finally:
                listener.close()
            await asyncio.sleep(ACCEPT_GAP_S)


@contextlib.contextmanager
def _listening(path: Path, *, vsock: Path) -> Iterator[socket.socket]:
    """A socket that listens, for nobody but the VM's process and us; gone again afterwards.

    Raises:
        DoorTakenError: the path is in use.
        OSError: it cannot be made.
    """
    owner = vsock.stat()  # the VMM's own socket: where it is not there, there is no vsock
    _clear(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.setblocking(False)
        os.fchmod(door.fileno(), 0o600)  # what it has when it is bound: nobody comes in between
        door.bind(str(path))
        try:
            if owner.st_uid != os.geteuid():
                _hand_over(path, owner)
            door.listen(1)
            yield door
        finally:
            with contextlib.suppress(OSError):
                path.unlink()


def _hand_over(path: Path, owner: os.stat_result) -> None:
    """Let the VM's process use the socket: it, and not what has meanwhile been put in its place."""
    number = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(number)
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
            raise DoorTakenError(f"{path} is not what was put there")
        os.chown(f"/proc/self/fd/{number}", owner.st_uid, owner.st_gid)
    finally:
        os.close(number)


def _clear(path: Path) -> None:
    """Remove what a daemon has left that was killed; nothing else."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise DoorTakenError(f"{path} is in its way, and is no socket")
    try:
        knock(path).close()
    except NotListeningError:
        path.unlink()
    except NotConnectedError as error:
        raise DoorTakenError(f"its channel is held by another program ({error})") from error
    else:
        raise DoorTakenError(f"its channel is held by another program that listens at {path}")
