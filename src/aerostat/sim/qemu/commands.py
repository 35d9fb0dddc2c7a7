"""What a fake QEMU answers: the commands that a driver of memory needs, as QEMU 7.2 words them."""

import uuid
from collections.abc import Mapping
from typing import Any

from aerostat.model.figures import BalloonStatistics
from aerostat.model.guest import RunState
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.world import World

BALLOON = "/machine/peripheral/balloon0"
_UNSET = 2**64 - 1
_STATS = {
    "stat-swap-in": "swap_in_bytes",
    "stat-swap-out": "swap_out_bytes",
    "stat-major-faults": "major_faults",
    "stat-minor-faults": "minor_faults",
    "stat-free-memory": "free_bytes",
    "stat-total-memory": "total_bytes",
    "stat-available-memory": "available_bytes",
    "stat-disk-caches": "cache_bytes",
    "stat-htlb-pgalloc": None,
    "stat-htlb-pgfail": None,
}
"""QEMU 7.2 has these ten; what a guest has not said is 2**64 - 1."""
_STATUS = {
    RunState.RUNNING: "running",
    RunState.MIGRATING: "running",
    RunState.PAUSED: "paused",
    RunState.SHUTDOWN: "shutdown",
    RunState.CRASHED: "guest-panicked",
}


class RefusedError(Exception):
    """The command ends in an error, of QEMU's class ``kind``."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class Commands:
    """One VM's answers.

    Args:
        world: where it lives.
        guest: which one it is.
    """

    def __init__(self, world: World, guest: SimulatedGuest) -> None:
        self._world = world
        self._guest = guest
        self._period_s = 0
        self._only_sample: BalloonStatistics | None = None

    def answer(self, name: str, untrusted: Mapping[str, Any]) -> object:
        """Carry a command out.

        Raises:
            RefusedError: QEMU would answer with an error.
        """
        handler = getattr(self, "_" + name.replace("-", "_"), None)
        if handler is None:
            raise RefusedError("CommandNotFound", f"The command {name} has not been found")
        return handler(untrusted)

    def _query_status(self, _untrusted: Mapping[str, Any]) -> object:
        status = _STATUS[self._guest.run_state]
        return {"status": status, "running": status == "running", "singlestep": False}

    def _query_name(self, _untrusted: Mapping[str, Any]) -> object:
        return {"name": self._guest.name}

    def _query_uuid(self, _untrusted: Mapping[str, Any]) -> object:
        return {"UUID": str(uuid.uuid5(uuid.NAMESPACE_DNS, self._guest.name))}

    def _query_memory_size_summary(self, _untrusted: Mapping[str, Any]) -> object:
        return {"base-memory": self._guest.build.max_bytes, "plugged-memory": 0}

    def _query_migrate(self, _untrusted: Mapping[str, Any]) -> object:
        return {"status": "active"} if self._guest.run_state is RunState.MIGRATING else {}

    def _query_jobs(self, _untrusted: Mapping[str, Any]) -> object:
        job = {"id": "backup0", "type": "backup", "status": "running"}
        progress = {"current-progress": 1, "total-progress": 2}
        return [{**job, **progress}] if self._guest.is_backing_up else []

    def _query_blockstats(self, _untrusted: Mapping[str, Any]) -> object:
        return [{"device": "disk0", "stats": {"rd_bytes": self._guest.disk_read_bytes}}]

    def _query_balloon(self, _untrusted: Mapping[str, Any]) -> object:
        return {"actual": self._guest.actual_bytes}

    def _balloon(self, untrusted: Mapping[str, Any]) -> object:
        value = untrusted.get("value")
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise RefusedError("GenericError", "Parameter 'target' expects a size")
        if self._guest.faults.refuses_targets:
            raise RefusedError("GenericError", "the balloon cannot be set now")
        self._guest.set_target(value)
        return {}

    def _qom_list(self, untrusted: Mapping[str, Any]) -> object:
        if untrusted.get("path") == "/machine/peripheral":
            return [
                {"name": "type", "type": "string"},
                {"name": "balloon0", "type": "child<virtio-balloon-pci>"},
            ]
        return [{"name": "type", "type": "string"}]

    def _qom_get(self, untrusted: Mapping[str, Any]) -> object:
        match self._property(untrusted):
            case "guest-stats":
                return self._statistics()
            case "guest-stats-polling-interval":
                return self._period_s
            case "deflate-on-oom":
                return self._guest.build.deflate_on_oom
            case "free-page-reporting":
                return self._guest.build.free_page_reporting
            case other:
                raise RefusedError("GenericError", f"Property 'balloon0.{other}' not found")

    def _qom_set(self, untrusted: Mapping[str, Any]) -> object:
        name, value = self._property(untrusted), untrusted.get("value")
        if name != "guest-stats-polling-interval":
            raise RefusedError("GenericError", f"Property 'balloon0.{name}' cannot be set")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise RefusedError("GenericError", "timer value must be greater than zero")
        self._period_s = value
        return {}

    def _property(self, untrusted: Mapping[str, Any]) -> str:
        if untrusted.get("path") != BALLOON:
            path = untrusted.get("path")
            raise RefusedError("DeviceNotFound", f"Device '{path}' not found")
        return str(untrusted.get("property"))

    def _statistics(self) -> object:
        """Without polling there is one sample, of when the driver was loaded, for ever."""
        snapshot = self._guest.snapshot(wall_s=self._world.wall_s, hypervisor_bytes=0)
        sample = snapshot.statistics
        if self._period_s == 0 and self._only_sample is not None:
            sample = self._only_sample
        if sample is None or sample.sampled_wall_s == 0:
            return {"stats": dict.fromkeys(_STATS, _UNSET), "last-update": 0}
        self._only_sample = self._only_sample or sample
        stats = {}
        for key, name in _STATS.items():
            value = None if name is None else getattr(sample, name)
            stats[key] = _UNSET if value is None else value
        return {"stats": stats, "last-update": int(sample.sampled_wall_s)}
