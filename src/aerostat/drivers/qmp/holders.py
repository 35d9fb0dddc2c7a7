"""Monitors that somebody else uses: they are told by their paths.

QEMU serves one client of a monitor at a time. libvirt and Incus stay connected to theirs, and a
second client waits for ever: these are left alone. Proxmox connects for each command, so its
monitors can be used as it does: connect, act, leave. Whoever stays blocks ``qm`` and pvestatd.
"""

import re
from collections.abc import Sequence
from pathlib import Path

_PROXMOX = re.compile(r"/qemu-server/[^/]+\.qmp$")
_LIBVIRT = re.compile(r"/libvirt/qemu/(?:lib/)?domain-[^/]*/monitor\.sock$")
_INCUS = re.compile(r"/(?:incus|lxd)/[^/]*/?[^/]*/qemu\.monitor$")


def holder_of(path: Path) -> str | None:
    """Who stays connected to this monitor and what to do instead, in words; None: nobody known."""
    text = str(path)
    if _LIBVIRT.search(text) is not None:
        return "libvirt holds this monitor: aerostat run --libvirt qemu:///system asks libvirt"
    if _INCUS.search(text) is not None:
        return "Incus holds this monitor: give the VM one more by raw.qemu"
    return None


def is_visited(path: Path) -> bool:
    """Whether others use this monitor a command at a time, so that nobody may stay connected."""
    return _PROXMOX.search(str(path)) is not None


def preferred(monitors: Sequence[Path]) -> tuple[Path, ...]:
    """Of the monitors of one VM those to use: one of our own, where there is one, tells events."""
    own = tuple(path for path in monitors if not is_visited(path))
    return own or tuple(monitors)
