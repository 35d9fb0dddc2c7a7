"""Finds Cloud Hypervisors and Firecrackers on this host, and the sockets of their APIs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from aerostat.host.qemu_processes import read_arguments

CLOUD_HYPERVISOR = "cloud-hypervisor"
FIRECRACKER = "firecracker"
_OPTION = {CLOUD_HYPERVISOR: "--api-socket", FIRECRACKER: "--api-sock"}
_DEFAULT = {FIRECRACKER: "/run/firecracker.socket"}


def api_processes(root: Path = Path("/")) -> Iterator[tuple[str, Path, Path, str]]:
    """Of each: which of the two, its directory in /proc, its API's socket, and the VM's name."""
    for directory in (root / "proc").iterdir():
        arguments = read_arguments(directory) if directory.name.isdigit() else ()
        program = Path(arguments[0]).name if arguments else ""
        if program not in _OPTION:
            continue
        given = _value(arguments, _OPTION[program]) or _DEFAULT.get(program)
        if given is not None:
            socket = Path(given.removeprefix("path="))
            name = _value(arguments, "--id") or socket.stem
            yield program, directory, _as_seen_from_here(directory, socket), name


def _value(arguments: Sequence[str], option: str) -> str | None:
    for number, word in enumerate(arguments):
        if word == option and number + 1 < len(arguments):
            return arguments[number + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _as_seen_from_here(directory: Path, socket: Path) -> Path:
    """A path as the process means it: from where it runs, and in its jail if it is in one."""
    try:
        start, jail = (directory / "cwd").readlink(), (directory / "root").readlink()
    except OSError:
        return socket
    absolute = start / socket
    return absolute if jail == Path("/") else directory / "root" / absolute.relative_to("/")
