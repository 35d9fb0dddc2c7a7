"""The QMP driver on the package's fake QEMUs: simulated guests behind monitor sockets.

Once connected for good, and once as on Proxmox, where others use the same monitors: visiting.
"""

from functools import partial
from pathlib import Path

from aerostat.drivers.qmp import QmpDriver
from aerostat.ports.driver import HypervisorDriver
from aerostat.sim.qemu import Machines
from drivers.contract.rig import RigKind, Traits
from drivers.contract.rig_of_world import WorldRig, play_in_world


class FakeQemuRig(WorldRig):
    """A world behind QMP."""

    async def open_peer(self) -> None:
        self.machines = await Machines(self.world, self.directory).__aenter__()

    async def close_peer(self) -> None:
        await self.machines.__aexit__(None, None, None)

    def new_driver(self) -> HypervisorDriver:
        return QmpDriver([self.machines.pattern], clock=self.clock)

    async def cut(self, name: str) -> None:
        self.machines.hang_up(self.guest(name).guest)


class VisitedQemuRig(FakeQemuRig):
    """The same in a directory like Proxmox's, where monitors are only visited."""

    # A visit every two seconds; a VM is unreachable when three in a row have brought nothing.
    traits = Traits(report_s=5.0, notice_s=7.0)

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "qemu-server")
        self.directory.mkdir()


FAKE_QEMU = RigKind(
    name="qmp-fake",
    peer="fake QEMU (`aerostat.sim.qemu`), simulated guests",
    play=partial(play_in_world, FakeQemuRig),
)
VISITED_QEMU = RigKind(
    name="qmp-visits",
    peer="fake QEMU in a directory like Proxmox's: connect, act, leave",
    play=partial(play_in_world, VisitedQemuRig),
)
