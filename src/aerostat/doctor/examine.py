"""Goes round the host and its VMs, all VMs at once, each with its own deadline."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aerostat.doctor.finding import Finding, Grade
from aerostat.doctor.host_checks import examine_host
from aerostat.doctor.vm_facts import VmFacts
from aerostat.doctor.vm_monitor import MonitorUnreachableError, ask_monitor
from aerostat.doctor.vm_process import VmProcess, find_vms
from aerostat.doctor.vm_verdict import VmReport, judge
from aerostat.drivers.sockets.discovery import SocketFinder


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
    patterns: Sequence[str] = (), *, only: str | None = None, root: Path = Path("/")
) -> Examination:
    """Look at the host, at all QEMU processes, and at sockets that match ``patterns``.

    Args:
        patterns: paths and globs of monitors whose processes cannot be seen from here.
        only: the name of one VM; then no other is asked, nor the host looked at.
        root: below which /proc and /sys are.
    """
    processes = [vm for vm in find_vms(root) if only in (None, vm.name)]
    known = {socket.resolve() for vm in processes for socket in vm.sockets}
    others = [
        path
        for path in SocketFinder(patterns).find()
        if path.resolve() not in known and only in (None, path.stem)
    ]
    facts = await asyncio.gather(
        *(_of_process(vm) for vm in processes), *(_of_socket(path) for path in others)
    )
    host = examine_host(root) if only is None else ()
    return Examination(host=host, vms=tuple(judge(fact) for fact in facts))


async def _of_process(vm: VmProcess) -> VmFacts:
    trouble = None
    for socket in vm.sockets:
        try:
            monitor = await ask_monitor(socket, agent_chardev=vm.agent_chardev)
        except MonitorUnreachableError as error:
            trouble = str(error)
        else:
            return VmFacts(name=vm.name, process=vm, monitor=monitor)
    return VmFacts(name=vm.name, process=vm, monitor_trouble=trouble)


async def _of_socket(path: Path) -> VmFacts:
    try:
        return VmFacts(name=path.stem, monitor=await ask_monitor(path))
    except MonitorUnreachableError as error:
        return VmFacts(name=path.stem, monitor_trouble=str(error))
