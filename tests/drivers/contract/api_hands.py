"""Somebody else's hand on a VM: what clients of Cloud Hypervisor and Firecracker ask for."""

from abc import abstractmethod
from pathlib import Path

from api_client import request
from drivers.contract.rig import Rig


class ApiHand(Rig):
    """Asks a VM's API for things."""

    @abstractmethod
    def socket(self, name: str) -> Path:
        """Where its API is."""

    @abstractmethod
    def snapshots(self) -> Path:
        """A directory for what is saved."""

    async def ask(self, name: str, method: str, path: str, body: object = None) -> None:
        """Have something done."""
        status, answer = await request(self.socket(name), method, path, body)
        assert status == 204, (status, answer)

    async def end_migration(self, name: str) -> None:
        await self.resume(name)


class CloudHypervisorHand(ApiHand):
    """Cloud Hypervisor's words. A snapshot takes a VM that is paused."""

    async def pause(self, name: str) -> None:
        await self.ask(name, "PUT", "/api/v1/vm.pause")

    async def resume(self, name: str) -> None:
        await self.ask(name, "PUT", "/api/v1/vm.resume")

    async def reset(self, name: str) -> None:
        await self.ask(name, "PUT", "/api/v1/vm.reboot")

    async def begin_migration(self, name: str) -> None:
        await self.pause(name)
        where = {"destination_url": f"file://{self.snapshots()}"}
        await self.ask(name, "PUT", "/api/v1/vm.snapshot", where)


class FirecrackerHand(ApiHand):
    """Firecracker's words. A snapshot takes a microVM that is paused."""

    async def pause(self, name: str) -> None:
        await self.ask(name, "PATCH", "/vm", {"state": "Paused"})

    async def resume(self, name: str) -> None:
        await self.ask(name, "PATCH", "/vm", {"state": "Resumed"})

    async def begin_migration(self, name: str) -> None:
        await self.pause(name)
        directory = self.snapshots()
        files = {
            "mem_file_path": str(directory / "memory"),
            "snapshot_path": str(directory / "state"),
        }
        await self.ask(name, "PUT", "/snapshot/create", files)
