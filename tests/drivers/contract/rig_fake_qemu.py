"""The QMP driver on the package's fake QEMUs: simulated guests behind monitor sockets."""

from functools import partial

from aerostat.drivers.qmp import QmpDriver
from aerostat.ports.driver import HypervisorDriver
from aerostat.sim.qemu import Machines
from drivers.contract.rig import RigKind
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


FAKE_QEMU = RigKind(
    name="qmp-fake",
    peer="fake QEMU (`aerostat.sim.qemu`), simulated guests",
    play=partial(play_in_world, FakeQemuRig),
)
