"""The exact change that helps, in the words of whoever runs the VM."""

from pathlib import Path

_BALLOON = {
    "libvirt": "virsh edit {name}: <memballoon model='virtio' autodeflate='on' "
    "freePageReporting='on'><stats period='1'/></memballoon>, then stop and start it",
    "proxmox": "qm set {id} --balloon <MiB> --shares 0, then stop and start it",
    "incus": "Incus gives every VM a balloon: stop and start {name}",
    "qemu": "start it with -device virtio-balloon-pci,deflate-on-oom=on,free-page-reporting=on",
    "cloud-hypervisor": "start it with --balloon size=0,deflate_on_oom=on,free_page_reporting=on",
    "firecracker": 'before it boots: PUT /balloon {{"amount_mib": 0, "deflate_on_oom": true, '
    '"stats_polling_interval_s": 1, "free_page_reporting": true}}',
}
_REPORTING = {
    "libvirt": "virsh edit {name}: freePageReporting='on' on <memballoon>, then stop and start it",
    "proxmox": "qm set {id} --machine with a version of at least 6.2, then stop and start it",
    "incus": "add free-page-reporting=on by raw.qemu.conf, then restart {name}",
    "qemu": "start it with free-page-reporting=on on its virtio-balloon-pci",
    "cloud-hypervisor": "start it with free_page_reporting=on in its --balloon",
    "firecracker": 'before it boots: "free_page_reporting": true in PUT /balloon',
}
_DEFLATE = {
    "libvirt": "virsh edit {name}: autodeflate='on' on <memballoon>, then stop and start it",
    "proxmox": "Proxmox has no setting for it: leave a generous min",
    "incus": "add deflate-on-oom=on by raw.qemu.conf, then restart {name}",
    "qemu": "start it with deflate-on-oom=on on its virtio-balloon-pci",
    "cloud-hypervisor": "start it with deflate_on_oom=on in its --balloon",
    "firecracker": 'before it boots: "deflate_on_oom": true in PUT /balloon',
}
_UNLOCKED = "start it without what locks its memory: ulimit -l, or LimitMEMLOCK= of its unit"
_LOCKED = {
    "libvirt": "virsh edit {name}: remove <locked/> from <memoryBacking>, then stop and start it",
    "qemu": "start it without -overcommit mem-lock=on",
    "cloud-hypervisor": _UNLOCKED,
    "firecracker": _UNLOCKED,
}
_HUGE = {
    "libvirt": "virsh edit {name}: remove <hugepages/> from <memoryBacking>, then restart it",
    "proxmox": "qm set {id} --delete hugepages, then stop and start it",
    "qemu": "start it without hugetlb=on, or a mem-path of hugetlbfs, for its memory",
    "cloud-hypervisor": "start it without hugepages=on in its --memory",
    "firecracker": 'before it boots: "huge_pages": "None" in PUT /machine-config',
}
_MONITOR = {
    "libvirt": "libvirt holds it: aerostat doctor --libvirt URI asks there (qemu:///system by "
    "default; pip install 'aerostat[libvirt]'), and aerostat run --libvirt URI balances the VM",
    "qemu": "start it with -qmp unix:/run/vm/{name}.qmp,server=on,wait=off, a monitor of its own",
    "cloud-hypervisor": "start it with --api-socket /run/vm/{name}.sock; run the doctor as root",
    "firecracker": "start it with --api-sock /run/vm/{name}.sock; run the doctor as root",
}
_STATISTICS = {
    "cloud-hypervisor": "start it with a Cloud Hypervisor that has vm.balloon-stats (after v53)",
    "firecracker": 'before it boots: "stats_polling_interval_s": 1 in PUT /balloon',
    "qemu": "start it with -device virtio-balloon-pci",
}
_PORT = (
    "-device virtio-serial -chardev socket,id=aerostat,path={agent},server=on,wait=off "
    "-device virtserialport,chardev=aerostat,name=org.aerostat.agent.0"
)
_BY_VSOCK = "in the guest: aerostat-agent-vsock (docs/agent.md: how to install it)"
_AGENT = {
    "libvirt": "virsh attach-device {name} agent.xml --live --config, where agent.xml is "
    "<channel type='unix'><target type='virtio' name='org.aerostat.agent.0'/></channel>",
    "proxmox": f"qm set {{id}} --args '{_PORT}' (and what is in its args), then stop and start it",
    "qemu": f"start it with {_PORT}",
    "cloud-hypervisor": "start it with --vsock cid=3,socket=/run/vm/{name}.vsock (a cid of its "
    "own); " + _BY_VSOCK,
    "firecracker": 'before it boots: PUT /vsock {{"guest_cid": 3, "uds_path": '
    '"/run/vm/{name}.vsock"}}; ' + _BY_VSOCK,
}
_TABLES = {
    "statistics": _STATISTICS,
    "balloon": _BALLOON,
    "reporting": _REPORTING,
    "deflate": _DEFLATE,
    "locked": _LOCKED,
    "huge": _HUGE,
    "monitor": _MONITOR,
    "agent": _AGENT,
}

DRIVER = "in the guest: modprobe virtio_balloon (Windows: install the balloon driver and service)"
AGENT_IN_GUEST = (
    "in the guest: systemctl enable --now aerostat-agent (docs/agent.md: how to install it)"
)
LISTEN = (
    "aerostat run listens while it runs; if it does run, let it write there: ReadWritePaths= of "
    "its unit (docs/agent.md), or root"
)
AGENT_PLATFORMS = tuple(_AGENT)
"""Where Aerostat hears its agent."""
GUEST_SWAP = "in the guest: add swap; without it only cache and free memory can be taken"


def fix_for(
    what: str,
    *,
    platform: str,
    name: str,
    number: str | None = None,
    agent: Path | None = None,
) -> str:
    """The change for a VM of this platform; where none is known for it, plain QEMU's.

    Args:
        what: is to be changed, a key of the tables above.
        platform: who started it.
        name: of the VM.
        number: its platform's own id for it, by which its commands know it.
        agent: where Aerostat will look for the socket of its agent.
    """
    table = _TABLES[what]
    words = table.get(platform, table["qemu"])
    return words.format(name=name, id=number or name, agent=agent or f"/run/vm/{name}.agent")
