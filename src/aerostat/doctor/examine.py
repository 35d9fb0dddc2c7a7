"""Goes round the host and its VMs, all VMs at once, each with its own deadline."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aerostat.doctor.daemon_facts import DaemonFacts
from aerostat.doctor.finding import Finding, Grade
from aerostat.doctor.host_checks import examine_host
from aerostat.doctor.promised import promised
from aerostat.doctor.vm_apis import ask_api
from aerostat.doctor.vm_facts import VmFacts
from aerostat.doctor.vm_libvirt import LibvirtSilentError, LibvirtVm, ask_libvirt
from aerostat.doctor.vm_monitor import MonitorUnreachableError, VmMonitor, ask_monitor
from aerostat.doctor.vm_process import VmProcess, find_vms
from aerostat.doctor.vm_verdict import VmReport, judge
from aerostat.drivers.sockets.discovery import SocketFinder
from aerostat.host.api_processes import CLOUD_HYPERVISOR, FIRECRACKER
from aerostat.host.proxmox import ProxmoxCustody
from aerostat.places import api_socket_to_ask

LIBVIRT_URI = "qemu:///system"
_LIBVIRT = "libvirt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where to look besides the processes of this host: paths, globs, and a libvirt."""

    qmp: Sequence[str] = ()
    cloud_hypervisor: Sequence[str] = ()
    firecracker: Sequence[str] = ()
    daemon: Path | None = None  # the socket of Aerostat's own; None: where it is by default
    libvirt: str | None = None  # None: the system's, where a process shows that it has VMs
    held: Mapping[str, VmMonitor] = field(default_factory=dict)  # by UUID or name: asked already


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Of VMs whose monitors a daemon of ours holds: what it told, or what it is told by itself."""

    held: Mapping[str, VmMonitor]
    daemon: DaemonFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found."""

    host: tuple[Finding, ...]
    vms: tuple[VmReport, ...]

    @property
    def has_problem(self) -> bool:
        """Whether anything does not work as it should."""
        findings = [*self.host, *(f for vm in self.vms for f in vm.findings)]
        return any(finding.grade is Grade.PROBLEM for finding in findings)


async def examine(
    places: Places = Places(),
    *,
    only: str | None = None,
    root: Path = Path("/"),
) -> Examination:
    """Look at the host, at all processes of VMs, and at what ``places`` names.

    Args:
        places: what cannot be seen from here by its process.
        only: the name of one VM, or its platform's number; then no other is judged, nor the
            host looked at.
        root: below which /proc and /sys are.
    """
    processes = find_vms(root)
    domains, trouble = await _domains(places, processes)
    by_uuid = {domain.uuid: domain for domain in domains}
    of_libvirt = {vm.pid for vm in processes if vm.uuid in by_uuid}
    by_process = {vm.uuid: vm for vm in processes if vm.uuid is not None}
    facts = [_of_domain(domain, by_process.get(domain.uuid)) for domain in domains]
    # Inside the daemon what it holds is known already: it need not ask itself.
    socket = places.daemon or api_socket_to_ask()
    daemon = DaemonFacts() if places.held else await DaemonFacts.ask(socket)
    known = Known(held=places.held, daemon=daemon)
    asked = [_of_process(vm, trouble, known) for vm in processes if vm.pid not in of_libvirt]
    asked += [_of_qmp(path, known) for path in _unseen(places.qmp, processes)]
    asked += [
        _of_api(path, CLOUD_HYPERVISOR) for path in _unseen(places.cloud_hypervisor, processes)
    ]
    asked += [_of_api(path, FIRECRACKER) for path in _unseen(places.firecracker, processes)]
    facts += await asyncio.gather(*asked)
    facts += _held_and_unseen(places.held, facts)
    custody = ProxmoxCustody(root)
    vms = tuple(judge(_with_custody(fact, custody)) for fact in facts if _is_meant(fact, only))
    host = () if only is not None else (*examine_host(root), *promised(root, vms))
    if trouble is not None and places.libvirt is not None:
        host += (Finding(check="libvirt", grade=Grade.PROBLEM, says=trouble),)
    return Examination(host=host, vms=vms)


async def _domains(
    places: Places, processes: Iterable[VmProcess]
) -> tuple[tuple[LibvirtVm, ...], str | None]:
    """The domains of libvirt, or why they cannot be asked for."""
    if places.libvirt is None and all(vm.platform != _LIBVIRT for vm in processes):
        return (), None
    try:
        return await ask_libvirt(places.libvirt or LIBVIRT_URI), None
    except LibvirtSilentError as error:
        return (), str(error)


def _unseen(patterns: Sequence[str], processes: Iterable[VmProcess]) -> Iterator[Path]:
    """Sockets that match and do not belong to a process that is looked at anyway."""
    own = {path for vm in processes for path in (*vm.sockets, vm.api_socket) if path is not None}
    known = {path.resolve() for path in own}
    return (path for path in SocketFinder(patterns).find() if path.resolve() not in known)


def _held_and_unseen(held: Mapping[str, VmMonitor], facts: Sequence[VmFacts]) -> list[VmFacts]:
    """VMs that the daemon asks and whose processes do not show here: in another namespace, say."""
    names = {fact.name for fact in facts}
    for process in [fact.process for fact in facts if fact.process is not None]:
        names.update(_names_of(process))
    keys: dict[int, list[str]] = {}
    for key, monitor in held.items():
        keys.setdefault(id(monitor), []).append(key)
    return [
        VmFacts(name=own[-1], monitor=held[own[-1]])  # by its UUID first, and by its name
        for own in keys.values()
        if names.isdisjoint(own)
    ]


def _names_of(vm: VmProcess) -> tuple[str, ...]:
    """By what a daemon may know it: one without UUID and name is called after its socket."""
    paths = [path for path in (*vm.sockets, vm.api_socket) if path is not None]
    called = [str(path) for path in paths] + [path.stem for path in paths]
    return tuple(name for name in (vm.uuid, vm.name, *called) if name)


def _of_domain(domain: LibvirtVm, process: VmProcess | None) -> VmFacts:
    return VmFacts(
        name=domain.name,
        known_platform=_LIBVIRT,
        process=process,
        monitor=domain.monitor,
        monitor_trouble=domain.trouble,
    )


def _is_meant(facts: VmFacts, only: str | None) -> bool:
    number = None if facts.process is None else facts.process.number
    return only in (None, facts.name, number)


def _with_custody(facts: VmFacts, custody: ProxmoxCustody) -> VmFacts:
    known = None if facts.process is None else custody.read(facts.process.pid)
    return facts if known is None else replace(facts, custody=known)


async def _of_process(vm: VmProcess, libvirt_trouble: str | None, known: Known) -> VmFacts:
    if vm.api_socket is not None:
        found = await _of_api(vm.api_socket, vm.platform)
        return VmFacts(
            name=vm.name,
            process=vm,
            monitor=found.monitor,
            monitor_trouble=found.monitor_trouble,
        )
    if vm.platform == _LIBVIRT:  # its monitor is libvirt's: whoever else knocks waits in vain
        says = libvirt_trouble or "it is a domain of another libvirt than the one that was asked"
        return VmFacts(name=vm.name, process=vm, monitor_trouble=says)
    held = next((known.held[name] for name in _names_of(vm) if name in known.held), None)
    if held is not None:
        return VmFacts(name=vm.name, process=vm, monitor=held)
    trouble: str | None = None
    for socket in vm.sockets:
        try:
            monitor = await ask_monitor(socket)
        except MonitorUnreachableError as error:
            trouble = str(error)
        else:
            return VmFacts(name=vm.name, process=vm, monitor=monitor)
    return VmFacts(name=vm.name, process=vm, monitor=known.daemon.of(vm), monitor_trouble=trouble)


async def _of_qmp(path: Path, known: Known) -> VmFacts:
    try:
        return VmFacts(name=path.stem, monitor=await ask_monitor(path))
    except MonitorUnreachableError as error:
        told = known.held.get(path.stem) or known.daemon.named(path.stem)
        return VmFacts(name=path.stem, monitor=told, monitor_trouble=str(error))


async def _of_api(path: Path, platform: str) -> VmFacts:
    try:
        monitor = await ask_api(path, platform=platform)
    except MonitorUnreachableError as error:
        return VmFacts(name=path.stem, known_platform=platform, monitor_trouble=str(error))
    return VmFacts(name=path.stem, known_platform=platform, monitor=monitor)
