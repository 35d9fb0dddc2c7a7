"""What Cloud Hypervisor and Firecracker tell of a VM, asked with requests that change nothing."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aerostat.doctor.vm_monitor import MonitorUnreachableError, VmBalloon, VmMonitor, balloon_of
from aerostat.doctor.vm_ports import door_of
from aerostat.drivers.cloud_hypervisor.answers import parse_balloon_stats, parse_info
from aerostat.drivers.cloud_hypervisor.driver import BASE
from aerostat.drivers.firecracker.answers import (
    parse_balloon_bytes,
    parse_features,
    parse_figures,
    parse_hinting,
    parse_instance,
    parse_machine,
    parse_vsock,
)
from aerostat.drivers.http_api.answers import fields, flag, text
from aerostat.drivers.http_api.session import ApiRefusedError, ApiSession
from aerostat.drivers.report import report_of
from aerostat.drivers.sockets.errors import AnswerViolationError, SessionError
from aerostat.host.api_processes import CLOUD_HYPERVISOR
from aerostat.model.figures import Absence
from aerostat.model.guest import Hinting

ANSWER_S = 2.0
_CHANGE_S_MAX = 4.0
_CHANGE_LOOK_S = 0.25
_SLACK_S = 1.0
_NO_STATISTICS = "this Cloud Hypervisor is too old to tell what its guests say"
_OFF_FOR_GOOD = "its statistics were off when it was started, and cannot be switched on now"
_STATISTICS = "/balloon/statistics"


async def ask_api(path: Path, *, platform: str) -> VmMonitor:
    """Ask the VM behind an API socket.

    Raises:
        MonitorUnreachableError: nobody answers, in time and in the form that is promised.
    """
    is_ch = platform == CLOUD_HYPERVISOR
    try:
        session = ApiSession.open(path, base=BASE if is_ch else "")
        try:
            return await (_cloud_hypervisor(session) if is_ch else _firecracker(session))
        finally:
            await session.close()
    except (SessionError, AnswerViolationError) as error:
        raise MonitorUnreachableError(str(error)) from error


async def _cloud_hypervisor(session: ApiSession) -> VmMonitor:
    answer = fields(await _get(session, "/vm.info"), "the answer to vm.info")
    info = parse_info(answer)
    config = fields(answer.get("config"), "'config' of vm.info")
    memory = fields(config.get("memory"), "'config.memory' of vm.info")
    zones = memory.get("zones")
    parts = [memory, *(zones if isinstance(zones, list) else ())]
    platform = config.get("platform")
    ping = await _get(session, "/vmm.ping")
    return VmMonitor(
        program="Cloud Hypervisor",
        run_state="created" if info.run_state is None else info.run_state.value,
        version=text(ping, "version"),
        balloon=None
        if info.balloon is None
        else await _balloon_of_ch(
            session,
            deflates_on_oom=info.balloon.deflates_on_oom,
            reports_free_pages=info.balloon.reports_free_pages,
        ),
        max_bytes=info.max_bytes,
        actual_bytes=info.actual_bytes,
        has_vfio=bool(config.get("devices")),
        has_hugetlb=any(flag(part, "hugepages") for part in parts),
        is_shared=any(flag(part, "shared") for part in parts),
        is_confidential=flag(platform, "tdx") or flag(platform, "sev_snp"),
        agent_door=door_of(info.vsock, session.pid),
    )


async def _balloon_of_ch(
    session: ApiSession, *, deflates_on_oom: bool, reports_free_pages: bool
) -> VmBalloon:
    report, why = None, None
    try:
        report = parse_balloon_stats(await _get(session, "/vm.balloon-stats"), max_bytes=None)
    except ApiRefusedError as error:
        why = _NO_STATISTICS if error.status == 404 else None
    found = balloon_of(
        report,
        deflates_on_oom=deflates_on_oom,
        reports_free_pages=reports_free_pages,
        statistics_period_s=None,  # its guest answers when it is asked
    )
    return replace(found, why_silent=why)


async def _firecracker(session: ApiSession) -> VmMonitor:
    answer = await _get(session, "/")
    instance = parse_instance(answer)
    machine = await _get(session, "/machine-config")
    max_bytes = parse_machine(machine)
    balloon, actual_bytes = await _balloon_of_fc(session, max_bytes)
    return VmMonitor(
        program="Firecracker",
        run_state="created" if instance.run_state is None else instance.run_state.value,
        version=text(answer, "vmm_version"),
        balloon=balloon,
        max_bytes=max_bytes,
        actual_bytes=actual_bytes,
        has_hugetlb=text(machine, "huge_pages") not in (None, "None"),
        agent_door=door_of(await _vsock_of_fc(session), session.pid),
    )


async def _balloon_of_fc(
    session: ApiSession, max_bytes: int
) -> tuple[VmBalloon | None, int | None]:
    try:
        features = parse_features(await _get(session, "/balloon"))
    except ApiRefusedError:
        return None, None  # it was started without one
    report, actual_bytes, has_changed = None, None, False
    if features.statistics_period_s:
        answer = await _get(session, _STATISTICS)
        actual_bytes = max_bytes - parse_balloon_bytes(answer)
        figures = parse_figures(answer)
        if any(isinstance(value, int) for value in figures.values()):
            # It does not say when its guest reported, only what: another figure is another report.
            report = report_of(figures, updated_wall_s=time.time(), max_bytes=max_bytes)
            has_changed = await _changes(session, figures, features.statistics_period_s)
    found = balloon_of(
        report,
        deflates_on_oom=features.deflates_on_oom,
        reports_free_pages=features.reports_free_pages,
        statistics_period_s=None,
    )
    return (
        replace(
            found,
            why_silent=None if features.statistics_period_s else _OFF_FOR_GOOD,
            has_time_stamps=False,
            has_changed=has_changed,
            hinting=await _hinting_of_fc(session) if features.hints_free_pages else Hinting.OFF,
        ),
        actual_bytes,
    )


async def _changes(session: ApiSession, before: Mapping[str, int | Absence], period_s: int) -> bool:
    """Whether the guest reports something else within a period, as far as one may wait for that."""
    give_up_s = time.monotonic() + min(period_s + _SLACK_S, _CHANGE_S_MAX)
    while time.monotonic() < give_up_s:
        await asyncio.sleep(_CHANGE_LOOK_S)
        if parse_figures(await _get(session, _STATISTICS)) != before:
            return True
    return False


async def _hinting_of_fc(session: ApiSession) -> Hinting | None:
    try:
        return parse_hinting(await _get(session, "/balloon/hinting/status"))
    except ApiRefusedError:
        return None


async def _vsock_of_fc(session: ApiSession) -> str | None:
    try:
        return parse_vsock(await _get(session, "/vm/config"))
    except ApiRefusedError:
        return None  # a Firecracker that does not tell


async def _get(session: ApiSession, path: str) -> object:
    return await session.get(path, deadline_s=ANSWER_S)
