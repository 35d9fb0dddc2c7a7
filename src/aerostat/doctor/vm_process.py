"""What can be told of a VM from its process alone, whoever holds its monitor."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.api_processes import api_processes
from aerostat.host.cgroup import CgroupReader
from aerostat.host.proc_text import read_text_if_any
from aerostat.host.process_memory import Merged, parse_kilobytes, parse_merged, parse_rss
from aerostat.host.qemu_command_line import (
    Device,
    devices,
    flag_of,
    has_host_device,
    value_of,
)
from aerostat.host.qemu_processes import monitors_of, qemu_processes
from aerostat.units import MIB

_BALLOON = "virtio-balloon"
_LOCKED_MIN_BYTES = 64 * MIB
"""More than QEMU locks for anything but its guest's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VmProcess:
    """A QEMU process. ``None``: its command line does not say."""

    pid: int
    name: str
    platform: str  # libvirt, proxmox, incus, qemu, cloud-hypervisor, firecracker
    sockets: tuple[Path, ...]  # where a QMP monitor listens
    has_balloon: bool
    deflates_on_oom: bool | None = None
    reports_free_pages: bool | None = None
    is_kvm: bool = False
    is_locked: bool = False
    has_hugetlb: bool = False
    has_vfio: bool = False
    is_confidential: bool = False
    is_shared: bool = False
    number: str | None = None  # its platform's own id for it (Proxmox)
    uuid: str | None = None
    api_socket: Path | None = None  # of one that has an HTTP API
    resident_bytes: int | None = None
    swapped_bytes: int | None = None
    unsplit_bytes: int | None = None  # given up in part of huge pages, which the host still holds
    merged: Merged = Merged()


def find_vms(root: Path = Path("/")) -> tuple[VmProcess, ...]:
    """All processes of VMs that can be seen, ordered by name."""
    return tuple(sorted(_each(root), key=lambda vm: (vm.name, vm.pid)))


def _each(root: Path) -> Iterator[VmProcess]:
    for directory, arguments in qemu_processes(root):
        yield describe(directory, arguments)
    for platform, directory, socket, name in api_processes(root):
        yield _of_api(platform, directory, socket, name)


def _of_api(platform: str, directory: Path, socket: Path, name: str) -> VmProcess:
    """What the files of its process say of one whose API tells the rest."""
    status = read_text_if_any(directory / "status") or ""
    locked = parse_kilobytes(status, name="VmLck") or 0
    return VmProcess(
        pid=int(directory.name),
        name=name,
        platform=platform,
        sockets=(),
        has_balloon=False,
        is_kvm=True,
        is_locked=locked > _LOCKED_MIN_BYTES,
        has_hugetlb=(parse_kilobytes(status, name="HugetlbPages") or 0) > 0,
        api_socket=socket,
        resident_bytes=parse_rss(read_text_if_any(directory / "statm") or ""),
        swapped_bytes=parse_kilobytes(status, name="VmSwap"),
        merged=parse_merged(read_text_if_any(directory / "ksm_stat") or ""),
    )


def describe(directory: Path, arguments: Sequence[str]) -> VmProcess:
    """Tell what the process in ``/proc/PID`` is."""
    found = devices(arguments)
    balloon = next((d for d in found if d.driver.startswith(_BALLOON)), None)
    status = read_text_if_any(directory / "status") or ""
    locked = parse_kilobytes(status, name="VmLck") or 0
    return VmProcess(
        pid=int(directory.name),
        name=_name(arguments, directory.name),
        platform=_platform(arguments),
        sockets=monitors_of(directory, arguments),
        has_balloon=balloon is not None,
        deflates_on_oom=_is_on(balloon, "deflate-on-oom"),
        reports_free_pages=_is_on(balloon, "free-page-reporting"),
        is_kvm=_is_kvm(arguments),
        is_locked=flag_of(arguments, "-overcommit", "mem-lock") == "on"
        or locked > _LOCKED_MIN_BYTES,
        has_hugetlb=(parse_kilobytes(status, name="HugetlbPages") or 0) > 0,
        has_vfio=has_host_device(arguments),
        is_confidential=flag_of(arguments, "-machine", "confidential-guest-support") is not None,
        is_shared=any(
            _is_shared_backend(word) for word in arguments if word.startswith(("memory-b", "{"))
        ),
        number=value_of(arguments, "-id"),
        uuid=(value_of(arguments, "-uuid") or "").lower() or None,
        resident_bytes=parse_rss(read_text_if_any(directory / "statm") or ""),
        swapped_bytes=parse_kilobytes(status, name="VmSwap"),
        unsplit_bytes=_unsplit_bytes(directory),
        merged=parse_merged(read_text_if_any(directory / "ksm_stat") or ""),
    )


def _unsplit_bytes(directory: Path) -> int | None:
    """By its memory cgroup, where it has one to itself."""
    reader = CgroupReader(now_s=time.monotonic, root=directory.parents[1])
    return reader.read(int(directory.name)).unsplit_bytes


def _is_shared_backend(word: str) -> bool:
    return "memory-backend" in word and ("share=on" in word or '"share":true' in word)


def _is_on(device: Device | None, key: str) -> bool | None:
    if device is None:
        return None
    return device.properties.get(key) in ("on", "yes", "true")


def _is_kvm(arguments: Sequence[str]) -> bool:
    if "-enable-kvm" in arguments:
        return True
    accelerator = value_of(arguments, "-accel") or flag_of(arguments, "-machine", "accel") or ""
    return accelerator.startswith("kvm")


def _name(arguments: Sequence[str], otherwise: str) -> str:
    given = value_of(arguments, "-name") or ""
    first = given.partition(",")[0]
    return first.removeprefix("guest=") or otherwise


def _platform(arguments: Sequence[str]) -> str:
    line = " ".join(arguments)
    if "/var/run/qemu-server/" in line or "/run/qemu-server/" in line:
        return "proxmox"
    if re.search(r"/libvirt/qemu|id=charmonitor", line):
        return "libvirt"
    return "incus" if "/incus/" in line or "/lxd/" in line else "qemu"
