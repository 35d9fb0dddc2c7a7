"""Monitors that belong to somebody who needs them: they are told by their paths, and left alone.

QEMU serves one client of a monitor at a time. Whoever stays connected to Proxmox's blocks ``qm``
and its statistics; libvirt and Incus stay connected themselves, and a second client waits for ever.
"""

import re
from pathlib import Path

_PROXMOX = re.compile(r"^(?:/var)?/run/qemu-server/(\d+)\.qmp$")
_LIBVIRT = re.compile(r"/libvirt/qemu/(?:lib/)?domain-[^/]*/monitor\.sock$")
_INCUS = re.compile(r"/(?:incus|lxd)/[^/]*/?[^/]*/qemu\.monitor$")


def holder_of(path: Path) -> str | None:
    """Whose monitor this is and what to do instead, in words; None: nobody's that is known."""
    text = str(path)
    if (proxmox := _PROXMOX.match(text)) is not None:
        vm = proxmox[1]
        return (
            f"this is Proxmox's own monitor, and holding it would block qm: give the VM one more, "
            f"qm set {vm} --args '-qmp unix:/run/vm/{vm}.qmp,server=on,wait=off', "
            "then stop and start it"
        )
    if _LIBVIRT.search(text) is not None:
        return "libvirt holds this monitor: aerostat run --libvirt qemu:///system asks libvirt"
    if _INCUS.search(text) is not None:
        return "Incus holds this monitor: give the VM one more by raw.qemu"
    return None
