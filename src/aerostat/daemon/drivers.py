"""Makes the drivers that a configuration asks for."""

from functools import partial

from aerostat.config import Config
from aerostat.drivers.libvirt import LibvirtDriver, LibvirtSettings
from aerostat.drivers.qmp import QmpDriver, QmpSettings
from aerostat.drivers.qmp.holders import preferred
from aerostat.drivers.several import SeveralDrivers
from aerostat.drivers.sockets import SocketSettings
from aerostat.host.footprint import FootprintReader
from aerostat.host.proxmox import ProxmoxCustody
from aerostat.host.qemu_processes import monitors_of_processes, pid_of_vm
from aerostat.model.modes import Mode
from aerostat.ports.clock import Clock
from aerostat.ports.driver import HypervisorDriver


def drivers_of(config: Config, clock: Clock, footprints: FootprintReader) -> HypervisorDriver:
    """All that are configured, behind one port.

    Raises:
        AerostatError: what one of them needs is not installed.
    """
    # Observing changes nothing in a VM, not even how often its driver reports.
    may_touch = config.mode is not Mode.OBSERVE
    drivers: list[HypervisorDriver] = []
    if config.libvirt_uri is not None:
        asks_agent = may_touch and config.document.libvirt.agent
        libvirt_settings = LibvirtSettings(
            arm_statistics=may_touch, agent_period_s=2.0 if asks_agent else None
        )
        drivers.append(
            LibvirtDriver(
                config.libvirt_uri,
                clock=clock,
                settings=libvirt_settings,
                footprint_of=footprints.read,
                pid_of=pid_of_vm,
            )
        )
    if config.qmp_sockets:
        qmp_settings = QmpSettings(arm_statistics=may_touch)
        drivers.append(
            QmpDriver(
                config.qmp_sockets,
                clock=clock,
                settings=qmp_settings,
                footprint_of=footprints.read,
                custody_of=ProxmoxCustody().read,
                listening=partial(monitors_of_processes, preferred=preferred),
            )
        )
    drivers += _of_apis(config, clock, footprints)
    return drivers[0] if len(drivers) == 1 else SeveralDrivers(drivers)


def _of_apis(config: Config, clock: Clock, footprints: FootprintReader) -> list[HypervisorDriver]:
    """Those with an HTTP API: the library for it is loaded only where one is configured."""
    patterns = (config.cloud_hypervisor_sockets, config.firecracker_sockets)
    if not any(patterns):
        return []
    from aerostat.drivers.cloud_hypervisor import CloudHypervisorDriver  # noqa: PLC0415
    from aerostat.drivers.firecracker import FirecrackerDriver  # noqa: PLC0415

    settings = SocketSettings(arm_statistics=config.mode is not Mode.OBSERVE)
    kinds = (CloudHypervisorDriver, FirecrackerDriver)
    return [
        kind(sockets, clock=clock, settings=settings, footprint_of=footprints.read)
        for kind, sockets in zip(kinds, patterns, strict=True)
        if sockets
    ]
