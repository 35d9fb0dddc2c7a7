"""What libvirt tells of its domains, over a connection that can change nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

from aerostat.doctor.vm_monitor import VmBalloon, VmMonitor, balloon_of
from aerostat.doctor.vm_ports import OWN_AGENT, QEMU_AGENT, ports_of_domain
from aerostat.drivers.libvirt.answers import Job, parse_balloon, parse_job, parse_state
from aerostat.drivers.libvirt.binding import Binding, RawDomain
from aerostat.drivers.libvirt.errors import LibvirtCallError
from aerostat.drivers.libvirt.lanes import Lanes, first_answer
from aerostat.ports.errors import AerostatError

ANSWER_S = 3.0
_FIND_S = 10.0  # all domains that hang are found by then, one call for each
_PATIENCE_S = 0.5
_LANES = 16
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtVm:
    """One domain that runs."""

    uuid: str
    name: str
    monitor: VmMonitor | None
    trouble: str | None  # why there is none


class LibvirtSilentError(Exception):
    """There is no libvirt to be asked; the sentence says why."""


async def ask_libvirt(uri: str) -> tuple[LibvirtVm, ...]:
    """Ask a libvirt for all domains that run.

    Raises:
        LibvirtSilentError: it is not there, or its Python binding is not.
    """
    try:
        binding = Binding.load()
    except AerostatError as error:
        raise LibvirtSilentError(str(error)) from error
    connector = binding.connector(uri, is_read_only=True)
    lanes = Lanes(connector, binding.disconnect, name="libvirt-doctor", bound=_LANES)
    try:
        return await _Libvirt(binding, lanes).domains()
    except LibvirtCallError as error:
        raise LibvirtSilentError(f"{uri}: {error}") from error
    finally:
        lanes.close()


class _Libvirt:
    """One libvirt, asked with deadlines."""

    def __init__(self, binding: Binding, lanes: Lanes) -> None:
        self._binding = binding
        self._lanes = lanes

    async def domains(self) -> tuple[LibvirtVm, ...]:
        """All domains, those whose QEMU hangs among them."""
        libvirt, qemu = await self._call(self._binding.versions)
        found = await first_answer(
            lambda: self._lanes.start(self._binding.read_all),
            patience_s=_PATIENCE_S,
            again_s=_PATIENCE_S,
            deadline_s=_FIND_S,
        )
        version = f"{qemu or 'of an unknown version'}, by libvirt {libvirt}"
        return tuple([await self._domain(raw, version) for raw in found])

    async def _domain(self, raw: RawDomain, version: str) -> LibvirtVm:
        if "balloon.rss" not in raw.fields:
            trouble = "libvirt cannot ask its QEMU: it hangs, or a job keeps it busy"
            return LibvirtVm(uuid=raw.uuid, name=raw.name, monitor=None, trouble=trouble)
        try:
            xml = await self._call(lambda c: self._binding.describe(c, raw.uuid))
            job = parse_job(await self._call(lambda c: self._binding.job_of(c, raw.uuid)))
            monitor = monitor_of(raw, xml, job, version=version)
        except (LibvirtCallError, ET.ParseError) as error:
            return LibvirtVm(uuid=raw.uuid, name=raw.name, monitor=None, trouble=str(error))
        return LibvirtVm(uuid=raw.uuid, name=raw.name, monitor=monitor, trouble=None)

    async def _call(self, work: Callable[[Any], ResultT]) -> ResultT:
        return await self._lanes.call(work, deadline_s=ANSWER_S)


def monitor_of(raw: RawDomain, xml: str, job: Job, *, version: str) -> VmMonitor:
    """The same facts as a monitor gives, from a domain's figures and its XML.

    Raises:
        ET.ParseError: that is not XML.
    """
    domain = ET.fromstring(xml)  # noqa: S314 # from libvirtd, which wrote it; no entities
    told = parse_balloon(raw.fields)
    ports = ports_of_domain(domain)
    return VmMonitor(
        run_state=parse_state(raw.fields, Job.NONE).value,
        version=version,
        is_kvm=domain.get("type") == "kvm",
        balloon=_balloon(raw, domain),
        max_bytes=told.max_bytes,
        actual_bytes=told.actual_bytes,
        has_vfio=_has(domain, "./devices/hostdev[@type='pci']")
        or _has(domain, "./devices/hostdev[@type='mdev']")
        or _has(domain, "./devices/interface[@type='hostdev']")
        or _has(domain, "./devices/interface[@type='vdpa']")
        or _has(domain, "./devices/disk[@type='nvme']")
        or _has(domain, "./devices/disk[@type='vhostvdpa']"),
        has_hugetlb=_has(domain, "./memoryBacking/hugepages"),
        is_shared=_has(domain, "./memoryBacking/access[@mode='shared']"),
        is_confidential=_has(domain, "./launchSecurity"),
        is_locked=_has(domain, "./memoryBacking/locked"),
        is_migrating=job is Job.TRANSIT,
        qemu_agent=ports.get(QEMU_AGENT),
        own_agent=ports.get(OWN_AGENT),
    )


def _balloon(raw: RawDomain, domain: ET.Element) -> VmBalloon | None:
    device = domain.find("./devices/memballoon")
    if device is None or not device.get("model", "none").startswith("virtio"):
        return None
    stats = device.find("./stats")
    period = "0" if stats is None else stats.get("period", "0")
    return balloon_of(
        parse_balloon(raw.fields).report,
        deflates_on_oom=device.get("autodeflate") == "on",
        reports_free_pages=device.get("freePageReporting") == "on",
        statistics_period_s=int(period) if period.isdecimal() else 0,
    )


def _has(domain: ET.Element, path: str) -> bool:
    return domain.find(path) is not None
