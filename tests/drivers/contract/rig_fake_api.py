"""The drivers of Cloud Hypervisor and Firecracker on the package's stand-ins, on virtual time.

Somebody else's hand is the API itself, as it is in the field.
"""

from abc import abstractmethod
from functools import partial

from aerostat.drivers.cloud_hypervisor import CloudHypervisorDriver
from aerostat.drivers.firecracker import FirecrackerDriver
from aerostat.drivers.sockets import SocketSettings
from aerostat.model.guest import RunState
from aerostat.ports.driver import HypervisorDriver
from aerostat.sim.cloud_hypervisor import CloudHypervisors
from aerostat.sim.firecracker import Firecrackers
from aerostat.units import MIB
from api_client import request
from drivers.contract.rig import RigKind, Traits
from drivers.contract.rig_of_world import WorldRig, play_in_world


class FakeApiRig(WorldRig):
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

    async def ask(self, name: str, method: str, path: str, body: object = None) -> None:
        socket = self.machines.peers[self.guest(name).guest].path
        status, answer = await request(socket, method, path, body)
        assert status == 204, (status, answer)


class FakeCloudHypervisorRig(FakeApiRig):
    """A world behind Cloud Hypervisors."""

    # A snapshot takes a paused VM; while it is sent elsewhere its API answers nobody.
    traits = Traits(state_in_migration=RunState.PAUSED)

    def new_machines(self) -> CloudHypervisors:
        return CloudHypervisors(self.world, self.directory)

    def new_driver(self) -> HypervisorDriver:
        return CloudHypervisorDriver(
            [self.machines.pattern], clock=self.clock, settings=SocketSettings()
        )

    async def pause(self, name: str) -> None:
        await self.ask(name, "PUT", "/api/v1/vm.pause")

    async def resume(self, name: str) -> None:
        await self.ask(name, "PUT", "/api/v1/vm.resume")

    async def reset(self, name: str) -> None:
        await self.ask(name, "PUT", "/api/v1/vm.reboot")

    async def begin_migration(self, name: str) -> None:
        await self.pause(name)
        where = {"destination_url": "file:///tmp/snapshot"}
        await self.ask(name, "PUT", "/api/v1/vm.snapshot", where)

    async def end_migration(self, name: str) -> None:
        await self.resume(name)


class FakeFirecrackerRig(FakeApiRig):
    """A world behind Firecrackers."""

    traits = Traits(state_in_migration=RunState.PAUSED, step_bytes=MIB)

    def new_machines(self) -> Firecrackers:
        return Firecrackers(self.world, self.directory)

    def new_driver(self) -> HypervisorDriver:
        return FirecrackerDriver(
            [self.machines.pattern], clock=self.clock, settings=SocketSettings()
        )

    async def pause(self, name: str) -> None:
        await self.ask(name, "PATCH", "/vm", {"state": "Paused"})

    async def resume(self, name: str) -> None:
        await self.ask(name, "PATCH", "/vm", {"state": "Resumed"})

    async def begin_migration(self, name: str) -> None:
        await self.pause(name)
        files = {"mem_file_path": "/tmp/memory", "snapshot_path": "/tmp/state"}
        await self.ask(name, "PUT", "/snapshot/create", files)

    async def end_migration(self, name: str) -> None:
        await self.resume(name)


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
