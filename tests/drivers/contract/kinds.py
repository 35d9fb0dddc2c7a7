"""All cases, and all that they are played on: the rows and columns of docs/drivers.md."""

from drivers.contract.cases_of_figures import FIGURES
from drivers.contract.cases_of_life import LIFE
from drivers.contract.cases_of_targets import TARGETS
from drivers.contract.cases_of_trouble import TROUBLE
from drivers.contract.rig_fake_api import FAKE_CLOUD_HYPERVISOR, FAKE_FIRECRACKER
from drivers.contract.rig_fake_qemu import FAKE_QEMU, VISITED_QEMU
from drivers.contract.rig_libvirt import LIBVIRT
from drivers.contract.rig_real_api import CLOUD_HYPERVISOR, FIRECRACKER
from drivers.contract.rig_real_qemu import REAL_QEMU
from drivers.contract.rig_simulated import SIMULATED

CASES = {case.name: case for cases in (LIFE, FIGURES, TARGETS, TROUBLE) for case in cases.all}
KINDS = {
    kind.name: kind
    for kind in (
        SIMULATED,
        FAKE_QEMU,
        VISITED_QEMU,
        REAL_QEMU,
        LIBVIRT,
        FAKE_CLOUD_HYPERVISOR,
        CLOUD_HYPERVISOR,
        FAKE_FIRECRACKER,
        FIRECRACKER,
    )
}
