"""The exact change that helps, in the words of whoever runs the VM."""

_BALLOON = {
    "libvirt": "virsh edit {name}: <memballoon model='virtio' autodeflate='on' "
    "freePageReporting='on'><stats period='1'/></memballoon>, then stop and start it",
    "proxmox": "qm set {id} --balloon <MiB> --shares 0, then stop and start it",
    "incus": "Incus gives every VM a balloon: stop and start {name}",
    "qemu": "start it with -device virtio-balloon-pci,deflate-on-oom=on,free-page-reporting=on",
}
_REPORTING = {
    "libvirt": "virsh edit {name}: freePageReporting='on' on <memballoon>, then stop and start it",
    "proxmox": "qm set {id} --machine with a version of at least 6.2, then stop and start it",
    "incus": "add free-page-reporting=on by raw.qemu.conf, then restart {name}",
    "qemu": "start it with free-page-reporting=on on its virtio-balloon-pci",
}
_DEFLATE = {
    "libvirt": "virsh edit {name}: autodeflate='on' on <memballoon>, then stop and start it",
    "proxmox": "Proxmox has no setting for it: leave a generous min",
    "incus": "add deflate-on-oom=on by raw.qemu.conf, then restart {name}",
    "qemu": "start it with deflate-on-oom=on on its virtio-balloon-pci",
}
_LOCKED = {
    "libvirt": "virsh edit {name}: remove <locked/> from <memoryBacking>, then stop and start it",
    "qemu": "start it without -overcommit mem-lock=on",
}
_HUGE = {
    "libvirt": "virsh edit {name}: remove <hugepages/> from <memoryBacking>, then restart it",
    "proxmox": "qm set {id} --delete hugepages, then stop and start it",
    "qemu": "start it without hugetlb=on, or a mem-path of hugetlbfs, for its memory",
}
_MONITOR = {
    "libvirt": "none is needed: libvirt holds it, and aerostat run --libvirt qemu:///system "
    "balances the VM; to see more here: virsh dommemstat {name}, virsh dumpxml {name}",
    "qemu": "start it with -qmp unix:/run/vm/{name}.qmp,server=on,wait=off, a monitor of its own",
}
_TABLES = {
    "balloon": _BALLOON,
    "reporting": _REPORTING,
    "deflate": _DEFLATE,
    "locked": _LOCKED,
    "huge": _HUGE,
    "monitor": _MONITOR,
}

DRIVER = "in the guest: modprobe virtio_balloon (Windows: install the balloon driver and service)"
GUEST_SWAP = "in the guest: add swap; without it only cache and free memory can be taken"


def fix_for(what: str, *, platform: str, name: str) -> str:
    """The change for a VM of this platform; where none is known for it, plain QEMU's."""
    table = _TABLES[what]
    return table.get(platform, table["qemu"]).format(name=name, id=name)
