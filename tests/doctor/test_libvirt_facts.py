"""What the doctor reads in a domain's XML."""

import pytest

from aerostat.doctor.vm_libvirt import monitor_of
from aerostat.drivers.libvirt.answers import Job
from aerostat.drivers.libvirt.binding import RawDomain

RAW = RawDomain(uuid="u", name="web", number=1, fields={"state.state": 1})


@pytest.mark.parametrize(
    ("device", "has_vfio"),
    [
        ("<hostdev mode='subsystem' type='pci'/>", True),
        ("<hostdev mode='subsystem' type='usb'/>", False),
        ("<interface type='hostdev'/>", True),
        ("<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>", True),
        ("<interface type='bridge'/>", False),
        ("<disk type='nvme' device='disk'/>", True),
        ("<disk type='vhostvdpa' device='disk'/>", True),
        ("<disk type='file' device='disk'/>", False),
    ],
)
def test_devices_of_the_host_that_use_its_memory(device: str, has_vfio: bool) -> None:
    xml = f"<domain type='kvm'><devices>{device}</devices></domain>"
    assert monitor_of(RAW, xml, Job.NONE, version="11").has_vfio is has_vfio
