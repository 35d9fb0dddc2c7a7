"""The drivers of Cloud Hypervisor and Firecracker on the package's stand-ins, on virtual time.

Simulated guests stand behind both.
"""

from abc import abstractmethod
from functools import partial
from pathlib import Path

from aerostat.drivers.cloud_hypervisor import CloudHypervisorDriver
from aerostat.drivers.firecracker import FirecrackerDriver
from aerostat.drivers.sockets import SocketSettings
from aerostat.model.guest import RunState
from aerostat.ports.driver import HypervisorDriver
from aerostat.sim.cloud_hypervisor import CloudHypervisors
from aerostat.sim.firecracker import Firecrackers
from aerostat.units import MIB
from drivers.contract.api_hands import ApiHand, CloudHypervisorHand, FirecrackerHand
from drivers.contract.rig import RigKind, Traits
from drivers.contract.rig_of_world import WorldRig, play_in_world


class FakeApiRig(WorldRig, ApiHand):
    """A world behind an API."""

    machines: CloudHypervisors | Firecrackers

    @abstractmethod
    def new_machines(self) -> CloudHypervisors | Firecrackers:
        """What stands between."""

    async def open_peer(self) -> None:
        self.machines = await self.new_machines().__aenter__()

    async def close_peer(self) -> None:
        await self.machines.__aexit__(None, None, None)

    async def cut(self, name: str) -> None:
        self.machines.hang_up(self.guest(name).guest)

    def socket(self, name: str) -> Path:
        return self.machines.peers[self.guest(name).guest].path

    def snapshots(self) -> Path:
        return self.directory


class FakeCloudHypervisorRig(CloudHypervisorHand, FakeApiRig):
    """A world behind Cloud Hypervisors."""

    # While it is saved; while it is sent elsewhere its API answers nobody.
    traits = Traits(state_in_migration=RunState.PAUSED)

    def new_machines(self) -> CloudHypervisors:
        return CloudHypervisors(self.world, self.directory)

    def new_driver(self) -> HypervisorDriver:
        return CloudHypervisorDriver(
            [self.machines.pattern], clock=self.clock, settings=SocketSettings()
        )


class FakeFirecrackerRig(FirecrackerHand, FakeApiRig):
    """A world behind Firecrackers."""

    traits = Traits(state_in_migration=RunState.PAUSED, step_bytes=MIB)

    def new_machines(self) -> Firecrackers:
        return Firecrackers(self.world, self.directory)

    def new_driver(self) -> HypervisorDriver:
        return FirecrackerDriver(
            [self.machines.pattern], clock=self.clock, settings=SocketSettings()
        )


NEVER_RESET = "a guest that reboots ends its Firecracker, so a microVM is never reset"

FAKE_CLOUD_HYPERVISOR = RigKind(
    name="ch-fake",
    peer="stand-in for Cloud Hypervisor (`aerostat.sim.cloud_hypervisor`), simulated guests",
    play=partial(play_in_world, FakeCloudHypervisorRig),
)
FAKE_FIRECRACKER = RigKind(
    name="fc-fake",
    peer="stand-in for Firecracker (`aerostat.sim.firecracker`), simulated guests",
    play=partial(play_in_world, FakeFirecrackerRig),
    cannot={"reset": NEVER_RESET},
)
