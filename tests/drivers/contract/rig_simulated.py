"""The simulator's own driver."""

from functools import partial

from aerostat.ports.driver import HypervisorDriver
from aerostat.sim.driver import SimulatedDriver
from drivers.contract.rig import RigKind
from drivers.contract.rig_of_world import WorldRig, play_in_world


class SimulatedRig(WorldRig):
    """A world and the driver that looks straight into it."""

    def new_driver(self) -> HypervisorDriver:
        return SimulatedDriver(self.world, deadline_s=self.traits.deadline_s)

    async def cut(self, name: str) -> None:
        self.guest(name).faults.is_unavailable = True
        assert (await self.driver.read_guest(self.guest(name).guest)).actual_bytes is None
        self.guest(name).faults.is_unavailable = False


SIMULATED = RigKind(
    name="simulated",
    peer="simulated guests, no hypervisor between",
    play=partial(play_in_world, SimulatedRig),
    cannot={"absurd-targets": "what a guest can live in is for drivers of hypervisors to know"},
)
