"""What a stand-in for Cloud Hypervisor answers, by its document and what is known beyond it.

All sizes are bytes; ``desired_balloon`` is the balloon's. A size that is no whole number of pages
loses its remainder. Errors are lists of causes, from the outermost in.
"""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from aerostat.model.guest import RunState
from aerostat.sim.http_api.statistics import named
from aerostat.sim.http_api.vmm import Vmm
from aerostat.sim.http_api.wire import Answer, Request
from aerostat.sim.world import World
from aerostat.units import PAGE_BYTES

BASE = "/api/v1"
_STATES = {
    RunState.RUNNING: "Running",
    RunState.MIGRATING: "Running",
    RunState.PAUSED: "Paused",
    RunState.SHUTDOWN: "Shutdown",
    RunState.CRASHED: "Running",  # it knows nothing of what happens inside
}
_FIGURES = {
    "swap_in_bytes": "swap_in",
    "swap_out_bytes": "swap_out",
    "major_faults": "major_faults",
    "minor_faults": "minor_faults",
    "free_bytes": "free_memory",
    "total_bytes": "total_memory",
    "available_bytes": "available_memory",
    "cache_bytes": "disk_caches",
}


@dataclass(slots=True, kw_only=True)
class VmConfig:
    """What a VM was made with, as far as memory is concerned."""

    size_bytes: int
    has_balloon: bool = True
    has_huge_pages: bool = False
    devices: tuple[str, ...] = ()  # of the host, passed through
    deflate_on_oom: bool = False
    free_page_reporting: bool = False
    uuid: str | None = None
    vsock: str | None = None  # path of its socket
    cmdline: str = ""


class CloudHypervisorApi(Vmm):
    """One VMM's answers; it has at most one VM.

    Args:
        world: where the VM lives.
        name: of the VM in that world; it may not be there yet.
        config: of a VM that is configured already; None: somebody will create one.
        has_statistics: whether this version knows vm.balloon-stats, which came after v53.0.
        boot: makes the guest when the VM is booted; None: whoever made the world does.
    """

    def __init__(
        self,
        world: World,
        name: str,
        config: VmConfig | None,
        *,
        has_statistics: bool = True,
        boot: Callable[[VmConfig], None] | None = None,
    ) -> None:
        super().__init__(world, name)
        self.has_statistics = has_statistics
        self.config = config
        self._boot = boot
        self._snapshots: list[object] = []
        self._handlers: dict[tuple[str, str], Callable[[object], Answer]] = {
            ("GET", "/vmm.ping"): self._ping,
            ("PUT", "/vmm.shutdown"): self._end,
            ("GET", "/vm.info"): self._info,
            ("GET", "/vm.counters"): self._counters,
            ("PUT", "/vm.create"): self._create,
            ("PUT", "/vm.delete"): self._delete,
            ("PUT", "/vm.boot"): self._booted,
            ("PUT", "/vm.pause"): self._pause,
            ("PUT", "/vm.resume"): self._resume,
            ("PUT", "/vm.shutdown"): self._shut_down,
            ("PUT", "/vm.reboot"): self._reboot,
            ("PUT", "/vm.power-button"): self._power_button,
            ("PUT", "/vm.resize"): self._resize,
            ("PUT", "/vm.snapshot"): self._snapshot,
        }
        if has_statistics:
            self._handlers["GET", "/vm.balloon-stats"] = self._balloon_stats

    def answer(self, request: Request) -> Answer:
        """Carry a request out."""
        path = request.path.removeprefix(BASE) if request.path.startswith(BASE) else ""
        handler = self._handlers.get((request.method, path))
        if handler is None:
            known = any(path == other for _method, other in self._handlers)
            return Answer(status=400 if known else 404)
        return handler(request.json())

    def _ping(self, _body: object) -> Answer:
        return _ok({"build_version": "simulated", "version": "54.0.0", "pid": os.getpid()})

    def _end(self, _body: object) -> Answer:
        self.is_ending = True
        return _DONE

    def _info(self, _body: object) -> Answer:
        if self.config is None:
            return _missing("The VM info is not available", "VM is not created")
        guest = self.guest
        actual_bytes = self.config.size_bytes if guest is None else guest.actual_bytes
        state = "Created" if guest is None else _STATES[guest.run_state]
        return _ok(
            {"config": self._vm_config(), "state": state, "memory_actual_size": actual_bytes}
        )

    def _vm_config(self) -> dict[str, object]:
        assert self.config is not None
        memory = {"size": self.config.size_bytes, "shared": False}
        memory["hugepages"] = self.config.has_huge_pages
        vm: dict[str, object] = {"payload": {"kernel": "vmlinux"}, "memory": memory}
        if self.config.devices:
            vm["devices"] = [{"path": path} for path in self.config.devices]
        if self.config.uuid is not None:
            vm["platform"] = {"uuid": self.config.uuid}
        if self.config.vsock is not None:
            vm["vsock"] = {"cid": 3, "socket": self.config.vsock}
        if self.config.has_balloon:
            target = self.config.size_bytes if self.guest is None else self.guest.target_bytes
            vm["balloon"] = {
                "size": self.config.size_bytes - target,
                "deflate_on_oom": self.config.deflate_on_oom,
                "free_page_reporting": self.config.free_page_reporting,
            }
        return vm

    def _counters(self, _body: object) -> Answer:
        return _ok({"_net0": {"rx_bytes": 0, "tx_bytes": 0}})

    def _create(self, body: object) -> Answer:
        if self.config is not None:
            return _error("The VM could not be created", "VM is already created")
        if not isinstance(body, dict) or not isinstance(body.get("memory"), dict):
            return Answer(status=400)
        balloon = body.get("balloon")
        options = balloon if isinstance(balloon, dict) else {}
        platform, payload = body.get("platform"), body.get("payload")
        vsock = body.get("vsock")
        self.config = VmConfig(
            size_bytes=int(body["memory"]["size"]),
            has_balloon=isinstance(balloon, dict),
            deflate_on_oom=options.get("deflate_on_oom", False),
            free_page_reporting=options.get("free_page_reporting", False),
            uuid=platform.get("uuid") if isinstance(platform, dict) else None,
            vsock=vsock.get("socket") if isinstance(vsock, dict) else None,
            cmdline=payload.get("cmdline", "") if isinstance(payload, dict) else "",
        )
        return _DONE

    def _delete(self, _body: object) -> Answer:
        self._gone()
        self.config = None
        return _DONE

    def _booted(self, _body: object) -> Answer:
        if self.config is None:
            return _missing("The VM could not boot", "VM is not created")
        if self._boot is None or self.guest is not None:
            return _error("The VM could not boot", "VM is already running")
        self._boot(self.config)
        return _DONE

    def _pause(self, _body: object) -> Answer:
        failed = "The VM could not be paused"
        return self._moved_on(RunState.RUNNING, self._world.pause, failed)

    def _resume(self, _body: object) -> Answer:
        failed = "The VM could not be resumed"
        return self._moved_on(RunState.PAUSED, self._world.resume, failed)

    def _moved_on(self, only: RunState, move: Callable[[str], None], failed: str) -> Answer:
        guest = self.guest
        if guest is None:
            return _missing(failed, "VM is not running")
        if guest.run_state is not only:
            return _error(failed, "Invalid VM state transition", status=405)
        move(guest.name)
        return _DONE

    def _shut_down(self, _body: object) -> Answer:
        if self.guest is None:
            return _error("The VM could not be shut down", "VM is not running", status=405)
        self._gone()
        return _DONE

    def _reboot(self, _body: object) -> Answer:
        guest = self.guest
        if guest is None:
            return _error("The VM could not reboot", "VM is not running", status=405)
        self._world.reset(guest.name)  # the size of its balloon was kept in its configuration
        return _DONE

    def _power_button(self, _body: object) -> Answer:
        guest = self.guest
        if guest is None:
            return _error("The button could not be pressed", "VM is not running", status=405)
        self._world.power_down(guest.name)
        return _DONE

    def _resize(self, body: object) -> Answer:
        guest = self.guest
        failed = "The VM could not be resized"
        if self.config is None or guest is None:
            return _missing(failed, "VM is not created")
        balloon_bytes = body.get("desired_balloon") if isinstance(body, dict) else None
        if isinstance(balloon_bytes, bool) or not isinstance(balloon_bytes, int):
            return Answer(status=400)
        if not 0 <= balloon_bytes <= self.config.size_bytes:
            return _error(failed, "Balloon size larger than the VM's RAM")
        if not self.config.has_balloon or guest.faults.refuses_targets:
            missing = "Missing virtio-balloon, can't proceed as expected"
            return _error(failed, "Error from device manager", missing)
        pages_bytes = balloon_bytes // PAGE_BYTES * PAGE_BYTES
        guest.set_target(self.config.size_bytes - pages_bytes)
        return Answer(status=204, is_lost=guest.faults.loses_replies)

    def _snapshot(self, body: object) -> Answer:
        guest = self.guest
        if guest is None:
            return _missing("The VM could not be snapshotted", "VM is not running")
        if guest.run_state is not RunState.PAUSED:
            return _error("The VM could not be snapshotted", "VM is not paused")
        self._snapshots.append(body)
        return _DONE

    def _balloon_stats(self, _body: object) -> Answer:
        guest = self.guest
        failed = "The VM's balloon statistics are not available"
        if self.config is None or guest is None:
            return _missing(failed, "VM is not created")
        if not self.config.has_balloon or not guest.faults.has_driver:
            return _error(failed, "Balloon statistics were not negotiated")
        if guest.faults.has_silent_statistics:
            return Answer(status=500, is_lost=True)  # its driver never answers
        if guest.run_state is RunState.PAUSED:
            return _error(failed, "Timed out waiting for the guest's balloon statistics")
        sample = guest.snapshot(wall_s=self._world.wall_s, hypervisor_bytes=0).statistics
        assert sample is not None
        return _ok(
            {
                "balloon_actual": self.config.size_bytes - guest.actual_bytes,
                "last_update": int(sample.sampled_wall_s * 1000),
                "stats": named(sample, _FIGURES),
            }
        )

    def _gone(self) -> None:
        guest = self.guest
        if guest is not None:
            self._world.remove(guest.name)


_DONE = Answer(status=204)


def _ok(body: object) -> Answer:
    return Answer(status=200, body=body)


def _error(*causes: str, status: int = 500) -> Answer:
    return Answer(status=status, body=["Error from API", *causes])


def _missing(*causes: str) -> Answer:
    return _error(*causes, status=404)


def uuid_of(name: str) -> str:
    """The UUID that a simulated VM of this name has."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
