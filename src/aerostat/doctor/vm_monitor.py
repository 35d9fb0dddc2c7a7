"""What a VM's monitor tells, asked with commands that change nothing."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aerostat.doctor.guest_swap import guest_swap_bytes
from aerostat.doctor.vm_agent import swap_by_agent
from aerostat.doctor.vm_ports import OWN_AGENT, QEMU_AGENT, VmDoor, VmPort, ports_of_monitor
from aerostat.drivers.qmp.answers import parse_dimm_bytes, parse_properties, parse_text
from aerostat.drivers.qmp.device import BalloonDevice, find_balloon
from aerostat.drivers.qmp.session import (
    Answer,
    Command,
    CommandRefusedError,
    QmpSession,
)
from aerostat.drivers.qmp.statistics import parse_guest_stats
from aerostat.drivers.report import GuestReport
from aerostat.drivers.sockets.errors import AnswerViolationError, SessionError
from aerostat.model.guest import Hinting

GREETING_S = 2.0
ANSWER_S = 2.0
_QUERIES = (
    "query-status",
    "query-version",
    "query-kvm",
    "query-memory-size-summary",
    "query-memory-devices",
    "query-balloon",
    "query-memdev",
    "query-chardev",
    "query-migrate",
)
_MIGRATES = ("setup", "active", "postcopy-active")
_PERIPHERALS = ("/machine/peripheral", "/machine/peripheral-anon")


@dataclass(frozen=True, slots=True, kw_only=True)
class VmBalloon:
    """What the balloon device says. ``None``: it did not."""

    deflates_on_oom: bool | None = None
    reports_free_pages: bool | None = None
    statistics_period_s: int | None = None
    sample_age_s: float | None = None  # None: the guest's driver has never reported
    has_figures: bool = False  # the last sample says what is available
    swap_bytes_seen: int | None = None  # that the guest has swapped, in and out
    why_silent: str | None = None  # its guest cannot report at all, as things are
    has_time_stamps: bool = True  # False: that samples are fresh shows by their changing alone
    has_changed: bool = True  # without time stamps: between two looks, a period and more apart
    hinting: Hinting | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VmMonitor:
    """Answers of one monitor. ``None``: it did not say, or there is no such thing."""

    program: str = "QEMU"  # who answered
    is_told_by_daemon: bool = False  # Aerostat's holds it; what that does not tell is not known
    run_state: str | None = None
    version: str | None = None
    is_kvm: bool | None = None
    balloon: VmBalloon | None = None
    max_bytes: int | None = None
    actual_bytes: int | None = None
    has_vfio: bool = False
    has_hugetlb: bool = False
    is_shared: bool = False
    is_confidential: bool = False
    is_locked: bool = False
    is_migrating: bool = False
    qemu_agent: VmPort | None = None  # None: it has no port for it
    own_agent: VmPort | None = None
    agent_door: VmDoor | None = None  # where its agent is heard by vsock; None: it has no vsock
    guest_swap_bytes: int | None = None  # by the guest's own word; None: nobody there tells


class MonitorUnreachableError(Exception):
    """The monitor cannot be asked; the sentence says why."""


async def ask_monitor(path: Path) -> VmMonitor:
    """Connect to a monitor's socket, ask, and let go.

    Raises:
        MonitorUnreachableError: it is held by somebody else, hangs, or does not speak QMP.
    """
    session = QmpSession(path, on_event=lambda _name, _data: None)
    try:
        session.knock()
        async with asyncio.timeout(GREETING_S):
            await session.greet()
        return await _ask(session, path)
    except TimeoutError as error:
        raise MonitorUnreachableError(
            f"no greeting within {GREETING_S:g} s: another client holds {path}, or the VM hangs"
        ) from error
    except (SessionError, AnswerViolationError) as error:
        raise MonitorUnreachableError(str(error)) from error
    finally:
        await session.close()


async def _ask(session: QmpSession, path: Path) -> VmMonitor:
    commands = [Command(name=name) for name in _QUERIES]
    answers = await session.ask_all(commands, deadline_s=ANSWER_S)
    answered = dict(zip(_QUERIES, map(_unless_refused, answers), strict=True))
    device = await find_balloon(session, deadline_s=ANSWER_S)
    kinds = await _peripheral_kinds(session)
    ports = await ports_of_monitor(
        session, answered["query-chardev"], monitor=path, deadline_s=ANSWER_S
    )
    memory = answered["query-memdev"]
    backends = [m for m in memory if isinstance(m, Mapping)] if isinstance(memory, list) else []
    guarded_by = await _property(session, "/machine", "confidential-guest-support")
    return VmMonitor(
        run_state=parse_text(answered["query-status"], "status"),
        version=_version(answered["query-version"]),
        is_kvm=_flag(_field(answered["query-kvm"], "enabled")),
        balloon=await _balloon(session, device) if device is not None else None,
        max_bytes=_size(answered),
        actual_bytes=_whole(_field(answered["query-balloon"], "actual")),
        has_vfio=any(kind.startswith("child<vfio-") for kind in kinds),
        has_hugetlb=await _has_hugetlb(session, backends),
        is_shared=any(backend.get("share") is True for backend in backends),
        is_confidential=guarded_by not in (None, ""),
        is_migrating=parse_text(answered["query-migrate"], "status") in _MIGRATES,
        qemu_agent=ports.get(QEMU_AGENT),
        own_agent=ports.get(OWN_AGENT),
        guest_swap_bytes=await _guest_swap(ports),
    )


async def _guest_swap(ports: Mapping[str, VmPort]) -> int | None:
    """By Aerostat's agent, else by QEMU's."""
    told = await swap_by_agent(ports.get(OWN_AGENT))
    return await guest_swap_bytes(ports.get(QEMU_AGENT)) if told is None else told


async def _balloon(session: QmpSession, device: BalloonDevice) -> VmBalloon:
    stats = await _property(session, device.path, "guest-stats")
    report = parse_guest_stats(stats, max_bytes=None) if stats is not None else None
    period = await _property(session, device.path, "guest-stats-polling-interval")
    return balloon_of(
        report,
        deflates_on_oom=_flag(await _property(session, device.path, "deflate-on-oom")),
        reports_free_pages=_flag(await _property(session, device.path, "free-page-reporting")),
        statistics_period_s=_whole(period),
    )


def balloon_of(
    report: GuestReport | None,
    *,
    deflates_on_oom: bool | None,
    reports_free_pages: bool | None,
    statistics_period_s: int | None,
) -> VmBalloon:
    """A balloon with what its guest reported last, if it ever did."""
    updated_s = report.updated_wall_s if report is not None else None
    values = report.values if report is not None else {}
    swapped = [values[key] for key in ("swap_in_bytes", "swap_out_bytes") if key in values]
    return VmBalloon(
        deflates_on_oom=deflates_on_oom,
        reports_free_pages=reports_free_pages,
        statistics_period_s=statistics_period_s,
        sample_age_s=max(0.0, time.time() - updated_s) if updated_s is not None else None,
        has_figures="available_bytes" in values,
        swap_bytes_seen=sum(swapped) if swapped else None,
    )


async def _property(session: QmpSession, path: str, name: str) -> object:
    command = Command(name="qom-get", arguments={"path": path, "property": name})
    try:
        return await session.ask(command, deadline_s=ANSWER_S)
    except CommandRefusedError:
        return None  # this version, or this machine, has no such property


async def _peripheral_kinds(session: QmpSession) -> tuple[str, ...]:
    commands = [Command(name="qom-list", arguments={"path": path}) for path in _PERIPHERALS]
    answers = await session.ask_all(commands, deadline_s=ANSWER_S)
    lists = [parse_properties(a) for a in answers if not isinstance(a, CommandRefusedError)]
    return tuple(kind for entries in lists for _name, kind in entries)


async def _has_hugetlb(session: QmpSession, backends: list[Mapping[str, object]]) -> bool:
    for entry in backends:
        identifier = parse_text(entry, "id")
        if identifier is None:
            continue
        path = f"/objects/{identifier}"
        if await _property(session, path, "hugetlb") is True:
            return True
        file = await _property(session, path, "mem-path")
        if isinstance(file, str) and "huge" in file:
            return True
    return False


def _unless_refused(answer: Answer) -> object:
    return None if isinstance(answer, CommandRefusedError) else answer


def _size(answered: Mapping[str, object]) -> int | None:
    """RAM and what is plugged in, as its balloon counts."""
    base_bytes = _whole(_field(answered["query-memory-size-summary"], "base-memory"))
    plugged = answered["query-memory-devices"]
    if base_bytes is None or not plugged:
        return base_bytes
    return base_bytes + parse_dimm_bytes(plugged)


def _version(answer: object) -> str | None:
    numbers = _field(answer, "qemu")
    if not isinstance(numbers, Mapping):
        return None
    return ".".join(str(numbers.get(key, "?")) for key in ("major", "minor", "micro"))


def _field(answer: object, key: str) -> object:
    return answer.get(key) if isinstance(answer, Mapping) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
