"""What a stand-in for Firecracker answers, by its document and what is known beyond it.

The balloon's amount is whole MiB, its pages have 4 KiB, the guest's figures are bytes. What the
guest has not said is left out. Statistics are on or off for good once the microVM has started.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from aerostat.model.guest import RunState
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.http_api.statistics import named
from aerostat.sim.http_api.vmm import Vmm
from aerostat.sim.http_api.wire import Answer, Request
from aerostat.sim.world import World
from aerostat.units import MIB, PAGE_BYTES

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
_STOP, _DONE_HINTING = 0, 1  # the balloon's own commands; a run has a number above them


@dataclass(slots=True, kw_only=True)
class Balloon:
    """What a balloon was made with."""

    amount_mib: int = 0
    deflate_on_oom: bool = False
    stats_polling_interval_s: int = 0
    free_page_hinting: bool = False
    free_page_reporting: bool = False


@dataclass(slots=True, kw_only=True)
class MicroVm:
    """What a microVM is made with."""

    mem_size_mib: int = 128
    vcpu_count: int = 1
    balloon: Balloon | None = None
    vsock: str | None = None  # path of its socket
    boot_source: dict[str, object] = field(default_factory=dict)


class _FaultError(Exception):
    """Firecracker says no, in these words."""


class FirecrackerApi(Vmm):
    """One Firecracker's answers; it has one microVM, started or not.

    Args:
        world: where the microVM lives.
        name: of the microVM in that world; it may not be there yet.
        machine: what it is made with.
        identifier: what ``--id`` said.
        boot: makes the guest when the microVM is started; None: whoever made the world does.
    """

    def __init__(
        self,
        world: World,
        name: str,
        machine: MicroVm,
        *,
        identifier: str = "anonymous-instance",
        boot: Callable[[MicroVm], None] | None = None,
    ) -> None:
        super().__init__(world, name)
        self.machine = machine
        self._identifier = identifier
        self._boot = boot
        self._host_cmd = _STOP
        self._handlers: dict[tuple[str, str], Callable[[dict[str, object]], object]] = {
            ("GET", "/"): self._describe,
            ("GET", "/version"): lambda _body: {"firecracker_version": "1.17.0-dev"},
            ("PUT", "/actions"): self._act,
            ("GET", "/balloon"): self._describe_balloon,
            ("PUT", "/balloon"): self._put_balloon,
            ("PATCH", "/balloon"): self._patch_balloon,
            ("GET", "/balloon/statistics"): self._statistics,
            ("PATCH", "/balloon/statistics"): self._patch_statistics,
            ("PATCH", "/balloon/hinting/start"): self._start_hinting,
            ("PATCH", "/balloon/hinting/stop"): self._stop_hinting,
            ("GET", "/balloon/hinting/status"): self._hinting_status,
            ("PUT", "/boot-source"): self._put_boot_source,
            ("GET", "/machine-config"): self._describe_machine,
            ("PUT", "/machine-config"): self._put_machine,
            ("PUT", "/snapshot/create"): self._snapshot,
            ("PATCH", "/vm"): self._patch_vm,
            ("GET", "/vm/config"): self._describe_all,
            ("PUT", "/vsock"): self._put_vsock,
        }

    def answer(self, request: Request) -> Answer:
        """Carry a request out."""
        handler = self._handlers.get((request.method, request.path))
        if handler is None:
            return _fault(f"Invalid request method and/or path: {request.method} {request.path}.")
        body = request.json() if request.body else {}
        if not isinstance(body, dict):
            return _fault("The body is not a JSON object.")
        try:
            answered = handler(body)
        except _FaultError as error:
            return _fault(str(error))
        if answered is not None:
            return Answer(status=200, body=answered)
        is_target = (request.method, request.path) == ("PATCH", "/balloon")
        return Answer(status=204, is_lost=is_target and self.faults().loses_replies)

    def _describe(self, _body: dict[str, object]) -> object:
        guest = self.guest
        state = "Not started"
        if guest is not None:
            state = "Paused" if guest.run_state is RunState.PAUSED else "Running"
        return {
            "app_name": "Firecracker",
            "id": self._identifier,
            "state": state,
            "vmm_version": "1.17.0-dev",
        }

    def _act(self, body: dict[str, object]) -> None:
        match body.get("action_type"):
            case "InstanceStart" if self.guest is None and self._boot is not None:
                self._boot(self.machine)
            case "InstanceStart":
                raise _FaultError("The requested operation is not supported after starting.")
            case "FlushMetrics":
                return
            case "SendCtrlAltDel" if self.guest is not None:
                self._world.power_down(self.guest.name)
            case other:
                raise _FaultError(f"unknown variant `{other}`")

    def _describe_balloon(self, _body: dict[str, object]) -> object:
        balloon = self._balloon()
        guest = self.guest
        amount_mib = balloon.amount_mib
        if guest is not None:
            amount_mib = (guest.build.max_bytes - guest.target_bytes) // MIB
        return {
            "amount_mib": amount_mib,
            "deflate_on_oom": balloon.deflate_on_oom,
            "stats_polling_interval_s": balloon.stats_polling_interval_s,
            "free_page_hinting": balloon.free_page_hinting,
            "free_page_reporting": balloon.free_page_reporting,
        }

    def _put_balloon(self, body: dict[str, object]) -> None:
        self._before_start()
        if not isinstance(body.get("amount_mib"), int) or "deflate_on_oom" not in body:
            raise _FaultError("missing field `amount_mib` or `deflate_on_oom`")
        self.machine.balloon = Balloon(
            amount_mib=_whole(body, "amount_mib"),
            deflate_on_oom=body["deflate_on_oom"] is True,
            stats_polling_interval_s=_whole(body, "stats_polling_interval_s", 0),
            free_page_hinting=body.get("free_page_hinting") is True,
            free_page_reporting=body.get("free_page_reporting") is True,
        )

    def _patch_balloon(self, body: dict[str, object]) -> None:
        balloon, amount_mib = self._balloon(), _whole(body, "amount_mib")
        if amount_mib > self.machine.mem_size_mib:
            raise _FaultError("Too many pages requested.")
        guest = self._active()
        balloon.amount_mib = amount_mib
        guest.set_target(guest.build.max_bytes - amount_mib * MIB)

    def _statistics(self, _body: dict[str, object]) -> object:
        balloon = self._balloon()
        if balloon.stats_polling_interval_s == 0:
            raise _FaultError("Received stats query when stats are disabled.")
        guest = self.guest
        if guest is None:
            raise _FaultError("Device not activated yet.")
        held_bytes = guest.build.max_bytes - guest.actual_bytes
        wanted_bytes = guest.build.max_bytes - guest.target_bytes
        sample = guest.snapshot(wall_s=self._world.wall_s, hypervisor_bytes=0).statistics
        assert sample is not None
        return {
            "target_pages": wanted_bytes // PAGE_BYTES,
            "actual_pages": held_bytes // PAGE_BYTES,
            "target_mib": wanted_bytes // MIB,
            "actual_mib": held_bytes // MIB,
            **named(sample, _FIGURES),
        }

    def _patch_statistics(self, body: dict[str, object]) -> None:
        balloon, period_s = self._balloon(), _whole(body, "stats_polling_interval_s")
        if self.guest is not None and (period_s == 0) != (balloon.stats_polling_interval_s == 0):
            raise _FaultError("Statistics cannot be enabled/disabled after activation.")
        balloon.stats_polling_interval_s = period_s

    def _start_hinting(self, _body: dict[str, object]) -> None:
        self._hinting()
        self._host_cmd = max(self._host_cmd, _DONE_HINTING) + 1

    def _stop_hinting(self, _body: dict[str, object]) -> None:
        self._hinting()
        self._host_cmd = _DONE_HINTING

    def _hinting_status(self, _body: dict[str, object]) -> object:
        self._hinting()
        return {"host_cmd": self._host_cmd, "guest_cmd": self._host_cmd}

    def _put_boot_source(self, body: dict[str, object]) -> None:
        self._before_start()
        self.machine.boot_source = body

    def _put_vsock(self, body: dict[str, object]) -> None:
        self._before_start()
        if not isinstance(body.get("uds_path"), str):
            raise _FaultError("missing field `uds_path`")
        self.machine.vsock = str(body["uds_path"])

    def _describe_machine(self, _body: dict[str, object]) -> object:
        return {
            "vcpu_count": self.machine.vcpu_count,
            "mem_size_mib": self.machine.mem_size_mib,
            "smt": False,
            "track_dirty_pages": False,
            "huge_pages": "None",
        }

    def _put_machine(self, body: dict[str, object]) -> None:
        self._before_start()
        self.machine.mem_size_mib = _whole(body, "mem_size_mib")
        self.machine.vcpu_count = _whole(body, "vcpu_count")

    def _snapshot(self, body: dict[str, object]) -> None:
        guest = self.guest
        if guest is None or guest.run_state is not RunState.PAUSED:
            raise _FaultError("Cannot create a snapshot: the microVM is not paused.")
        if not isinstance(body.get("mem_file_path"), str):
            raise _FaultError("missing field `mem_file_path`")

    def _patch_vm(self, body: dict[str, object]) -> None:
        guest = self.guest
        if guest is None:
            raise _FaultError("The requested operation is not supported before starting.")
        match body.get("state"):
            case "Paused":
                self._world.pause(guest.name)
            case "Resumed":
                self._world.resume(guest.name)
            case other:
                raise _FaultError(f"unknown variant `{other}`, expected `Paused` or `Resumed`")

    def _describe_all(self, body: dict[str, object]) -> object:
        whole = {"machine-config": self._describe_machine(body)}
        if self.machine.boot_source:
            whole["boot-source"] = self.machine.boot_source
        if self.machine.vsock is not None:
            whole["vsock"] = {"guest_cid": 3, "uds_path": self.machine.vsock}
        if self.machine.balloon is not None:
            whole["balloon"] = self._describe_balloon(body)
        return whole

    def _balloon(self) -> Balloon:
        if self.machine.balloon is None or self.faults().refuses_targets:
            raise _FaultError("No balloon device found.")
        return self.machine.balloon

    def _hinting(self) -> None:
        if not self._balloon().free_page_hinting:
            raise _FaultError("Received a hinting command when hinting is disabled.")

    def _active(self) -> SimulatedGuest:
        guest = self.guest
        if guest is None or not guest.faults.has_driver:
            raise _FaultError("Device not activated yet.")
        return guest

    def _before_start(self) -> None:
        if self.guest is not None:
            raise _FaultError(
                "The requested operation is not supported after starting the microVM."
            )


def _whole(body: dict[str, object], key: str, default: int | None = None) -> int:
    value = body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _FaultError(f"invalid `{key}`: {json.dumps(value)}, expected u32")
    return value


def _fault(words: str) -> Answer:
    return Answer(status=400, body={"fault_message": re.sub(r"\s+", " ", words)})
