"""Ports of a VM for agents, and whether somebody in the guest has opened them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from aerostat.drivers.agent import agent_door, agent_socket, seen_from_here
from aerostat.drivers.qmp.answers import parse_properties, parse_text
from aerostat.drivers.qmp.session import Command, CommandRefusedError, QmpSession
from aerostat.drivers.sockets.errors import NotConnectedError, NotListeningError
from aerostat.drivers.sockets.knock import knock

QEMU_AGENT = "org.qemu.guest_agent.0"
OWN_AGENT = "org.aerostat.agent.0"
_KIND = "child<virtserialport>"
_PERIPHERALS = ("/machine/peripheral", "/machine/peripheral-anon")


@dataclass(frozen=True, slots=True, kw_only=True)
class VmPort:
    """One port of virtio-serial."""

    is_open: bool  # somebody in the guest has it open: its agent runs
    socket: Path | None = None  # where its hypervisor listens for whoever hears it
    why_unheard: str | None = None  # Aerostat would not hear it, as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class VmDoor:
    """Where a VM's agent calls by vsock, on Cloud Hypervisor and Firecracker."""

    path: Path
    is_listened_at: bool  # a daemon waits there for it


def door_of(vsock: str | None, pid: int | None) -> VmDoor | None:
    """The door of a VM with a vsock; whoever listens there takes a knock for nothing."""
    if vsock is None:
        return None
    path = agent_door(seen_from_here(Path(vsock), pid))
    try:
        knock(path).close()
    except NotListeningError:
        return VmDoor(path=path, is_listened_at=False)
    except NotConnectedError:
        pass  # somebody's, who is busy or not for us
    return VmDoor(path=path, is_listened_at=True)


async def ports_of_monitor(
    session: QmpSession, chardevs: object, *, monitor: Path, deadline_s: float
) -> dict[str, VmPort]:
    """Ports by name, those that were added while the VM ran among them.

    Args:
        session: to the monitor.
        chardevs: the answer to query-chardev.
        monitor: the monitor's socket, beside which Aerostat looks for its agent's.
        deadline_s: for each answer.

    Raises:
        SessionError: the monitor does not answer.
    """
    lists = await session.ask_all(
        [Command(name="qom-list", arguments={"path": path}) for path in _PERIPHERALS],
        deadline_s=deadline_s,
    )
    devices = [
        f"{parent}/{name}"
        for parent, answer in zip(_PERIPHERALS, lists, strict=True)
        if not isinstance(answer, CommandRefusedError)
        for name, kind in parse_properties(answer)
        if kind == _KIND
    ]
    if not devices:
        return {}
    asked = [
        Command(name="qom-get", arguments={"path": path, "property": name})
        for path in devices
        for name in ("name", "chardev")
    ]
    answers = await session.ask_all(asked, deadline_s=deadline_s)
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return {
        name: port_of(chardevs, label, monitor=monitor if name == OWN_AGENT else None)
        for name, label in pairs
        if isinstance(name, str)
    }


def port_of(chardevs: object, label: object, *, monitor: Path | None = None) -> VmPort:
    """The port behind a chardev; where ``monitor`` is given, its socket has to be beside that."""
    for entry in chardevs if isinstance(chardevs, Sequence) else ():
        if not isinstance(entry, Mapping) or entry.get("label") != label:
            continue
        socket = _socket(parse_text(entry, "filename") or "")
        return VmPort(
            is_open=entry.get("frontend-open") is True,
            socket=socket,
            why_unheard=None if monitor is None else _why_unheard(socket, agent_socket(monitor)),
        )
    return VmPort(is_open=False, why_unheard="nothing on the host is connected to it")


def ports_of_domain(domain: ET.Element) -> dict[str, VmPort]:
    """The same from a domain's XML."""
    found = {}
    for channel in domain.findall("./devices/channel"):
        target, source = channel.find("target"), channel.find("source")
        name = None if target is None else target.get("name")
        if target is None or name is None:
            continue
        path = None if source is None else source.get("path")
        is_bound = source is not None and source.get("mode") == "bind" and path is not None
        found[name] = VmPort(
            is_open=target.get("state") == "connected",
            socket=Path(path) if path is not None and is_bound else None,
            why_unheard=None if is_bound else "its channel is no socket that QEMU listens at",
        )
    return found


def _socket(filename: str) -> Path | None:
    """The path from what query-chardev says: ``disconnected:unix:/run/vm/web.agent,server=on``."""
    _, found, rest = filename.partition("unix:")
    path = rest.partition(",server")[0]
    return Path(path) if found and path else None


def _why_unheard(socket: Path | None, expected: Path) -> str | None:
    if socket is None:
        return "what it is connected to is no socket that QEMU listens at"
    # A path that QEMU was given without a root is below a directory that only it knows.
    is_there = socket.name == expected.name and (
        not socket.is_absolute() or socket.resolve() == expected.resolve()
    )
    return None if is_there else f"its socket is {socket}, and Aerostat looks for {expected}"
