"""What Cloud Hypervisor and Firecracker tell of a VM, asked with requests that change nothing."""

import time
from dataclasses import replace
from pathlib import Path

from aerostat.doctor.vm_monitor import MonitorUnreachableError, VmBalloon, VmMonitor, balloon_of
from aerostat.drivers.cloud_hypervisor.answers import parse_balloon_stats, parse_info
from aerostat.drivers.cloud_hypervisor.driver import BASE
from aerostat.drivers.firecracker.answers import (
    parse_balloon_bytes,
    parse_features,
    parse_figures,
    parse_instance,
    parse_machine,
)
from aerostat.drivers.http_api.answers import fields, flag, text
from aerostat.drivers.http_api.session import ApiRefusedError, ApiSession
from aerostat.drivers.report import report_of
from aerostat.drivers.sockets.errors import AnswerViolationError, SessionError
from aerostat.host.api_processes import CLOUD_HYPERVISOR

ANSWER_S = 2.0
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
        statistics_period_s=None,
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
    )


async def _balloon_of_fc(
    session: ApiSession, max_bytes: int
) -> tuple[VmBalloon | None, int | None]:
    try:
        features = parse_features(await _get(session, "/balloon"))
    except ApiRefusedError:
        return None, None  # it was started without one
    report, actual_bytes = None, None
    if features.statistics_period_s:
        answer = await _get(session, _STATISTICS)
        actual_bytes = max_bytes - parse_balloon_bytes(answer)
        figures = parse_figures(answer)
        if any(isinstance(value, int) for value in figures.values()):
            # It does not say when its guest reported: that it did is all there is to know.
            report = report_of(figures, updated_wall_s=time.time(), max_bytes=max_bytes)
    found = balloon_of(
        report,
        deflates_on_oom=features.deflates_on_oom,
        reports_free_pages=features.reports_free_pages,
        statistics_period_s=None,
    )
    why = None if features.statistics_period_s else _OFF_FOR_GOOD
    return replace(found, why_silent=why), actual_bytes


async def _get(session: ApiSession, path: str) -> object:
    return await session.get(path, deadline_s=ANSWER_S)
