"""The exact change that helps, in the words of whoever runs the VM."""

from pathlib import Path

_BALLOON = {
    "libvirt": "virsh edit {name}: <memballoon model='virtio' autodeflate='on' "
    "freePageReporting='on'><stats period='1'/></memballoon>, then stop and start it",
    # Without a minimum Proxmox gives the device, and does not balance by itself.
    "proxmox": "qm set {id} --delete balloon && qm stop {id} && qm start {id}",
    "incus": "Incus gives every VM a balloon: incus config get {name} raw.qemu.conf, take "
    "out what changes qemu_balloon, then incus restart {name}",
    "qemu": "start it with -device virtio-balloon-pci,deflate-on-oom=on,free-page-reporting=on",
    "cloud-hypervisor": "start it with --balloon size=0,deflate_on_oom=on,free_page_reporting=on",
    "firecracker": 'before it boots: PUT /balloon {{"amount_mib": 0, "deflate_on_oom": true, '
    '"stats_polling_interval_s": 1, "free_page_reporting": true}}',
}
_REPORTING = {
    "libvirt": "virsh edit {name}: freePageReporting='on' on <memballoon>, then stop and start it",
    "proxmox": "it takes a machine of version 6.2 or later: qm set {id} --machine q35 (or pc, "
    "where qm config {id} shows no q35) && qm stop {id} && qm start {id}",
    "incus": "incus config set {name} raw.qemu.conf "
    '$\'[device "qemu_balloon"]\\nfree-page-reporting = "on"\' (and what is in it), '
    "then incus restart {name}",
    "qemu": "start it with free-page-reporting=on on its virtio-balloon-pci",
    "cloud-hypervisor": "start it with free_page_reporting=on in its --balloon",
    "firecracker": 'before it boots: "free_page_reporting": true in PUT /balloon',
}
_DEFLATE = {
    "libvirt": "virsh edit {name}: autodeflate='on' on <memballoon>, then stop and start it",
    "proxmox": "Proxmox has no setting for it: leave a generous min",
    "incus": "incus config set {name} raw.qemu.conf "
    '$\'[device "qemu_balloon"]\\ndeflate-on-oom = "on"\' (and what is in it), '
    "then incus restart {name}",
    "qemu": "start it with deflate-on-oom=on on its virtio-balloon-pci",
    "cloud-hypervisor": "start it with deflate_on_oom=on in its --balloon",
    "firecracker": 'before it boots: "deflate_on_oom": true in PUT /balloon',
}
_UNLOCKED = "start it without what locks its memory: ulimit -l, or LimitMEMLOCK= of its unit"
_LOCKED = {
    "libvirt": "virsh edit {name}: remove <locked/> from <memoryBacking>, then stop and start it",
    "proxmox": "its args lock it: qm config {id} --current shows them; qm set {id} --args with "
    "all but -overcommit mem-lock=on (qm set {id} --delete args, if that is all), then "
    "qm stop {id} && qm start {id}",
    "incus": "incus config get {name} raw.qemu shows what locks it; incus config set {name} "
    "raw.qemu with all but -overcommit mem-lock=on, then incus restart {name}",
    "qemu": "start it without -overcommit mem-lock=on",
    "cloud-hypervisor": _UNLOCKED,
    "firecracker": _UNLOCKED,
}
_HUGE = {
    "libvirt": "virsh edit {name}: remove <hugepages/> from <memoryBacking>, then restart it",
    "proxmox": "qm set {id} --delete hugepages && qm stop {id} && qm start {id}",
    "incus": "incus config unset {name} limits.memory.hugepages && incus restart {name}",
    "qemu": "start it without hugetlb=on, or a mem-path of hugetlbfs, for its memory",
    "cloud-hypervisor": "start it without hugepages=on in its --memory",
    "firecracker": 'before it boots: "huge_pages": "None" in PUT /machine-config',
}
_MONITOR = {
    "libvirt": "libvirt holds it: aerostat doctor --libvirt URI asks there (qemu:///system by "
    "default; takes libvirt-python), and aerostat run --libvirt URI balances the VM",
    "proxmox": "run the doctor as root; ss -xp | grep qemu-server/{id}.qmp shows who holds it; "
    "where qm monitor {id} hangs, too, so does its QEMU",
    "incus": "incusd holds it: incus config set {name} raw.qemu "
    "'-qmp unix:/run/vm/{name}.qmp,server=on,wait=off' (and what is in it), then "
    "incus restart {name}",
    "qemu": "start it with -qmp unix:/run/vm/{name}.qmp,server=on,wait=off, a monitor of its own",
    "cloud-hypervisor": "start it with --api-socket /run/vm/{name}.sock; run the doctor as root",
    "firecracker": "start it with --api-sock /run/vm/{name}.sock; run the doctor as root",
}
_HUNG = {
    "libvirt": "virsh domcontrol {name} says what libvirt waits for; virsh domjobabort {name} "
    "ends a job; a QEMU that was stopped goes on by kill -CONT {pid}; one that is stuck ends by "
    "virsh destroy {name}",
    "qemu": "look what its process waits for: cat /proc/{pid}/stack",
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
_QEMU_AGENT = {
    "libvirt": "virsh attach-device {name} qga.xml --live --config, where qga.xml is "
    "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
    "proxmox": "qm set {id} --agent 1 && qm stop {id} && qm start {id}",
    "qemu": "start it with -device virtio-serial "
    "-chardev socket,id=qga,path=/run/vm/{name}.qga,server=on,wait=off "
    "-device virtserialport,chardev=qga,name=org.qemu.guest_agent.0",
}
_TABLES = {
    "hung": _HUNG,
    "qemu_agent": _QEMU_AGENT,
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
QEMU_AGENT_IN_GUEST = (
    "in the guest: apt-get install qemu-guest-agent (or dnf), then "
    "systemctl enable --now qemu-guest-agent"
)
QEMU_AGENT_PLATFORMS = tuple(_QEMU_AGENT)
GUEST_SWAP = (
    "in the guest: fallocate -l 2G /swapfile && chmod 600 /swapfile && mkswap /swapfile && "
    "swapon /swapfile, and a line in /etc/fstab; without swap only cache and free memory can be "
    "taken"
)

UNSPLIT = (
    'let Aerostat split them: add "split" to the states of [ladder]; or start this VM without '
    "transparent huge pages"
)


def fix_for(
    what: str,
    *,
    platform: str,
    name: str,
    number: str | None = None,
    pid: int | None = None,
    agent: Path | None = None,
) -> str:
    """The change for a VM of this platform; where none is known for it, plain QEMU's.

    Args:
        what: is to be changed, a key of the tables above.
        platform: who started it.
        name: of the VM.
        number: its platform's own id for it, by which its commands know it.
        pid: of its process.
        agent: where Aerostat will look for the socket of its agent.
    """
    table = _TABLES[what]
    words = table.get(platform, table["qemu"])
    return words.format(
        name=name,
        id=number or name,
        pid="of its process" if pid is None else pid,
        agent=agent or f"/run/vm/{name}.agent",
    )
