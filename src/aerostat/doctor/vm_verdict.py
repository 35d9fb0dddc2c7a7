"""Judges one VM by its facts: pure functions, one a matter, and the verdict that follows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aerostat.doctor.finding import Finding, Grade, Verdict
from aerostat.doctor.fixes import (
    AGENT_IN_GUEST,
    AGENT_PLATFORMS,
    DRIVER,
    GUEST_SWAP,
    LISTEN,
    QEMU_AGENT_IN_GUEST,
    QEMU_AGENT_PLATFORMS,
    UNSPLIT,
    fix_for,
)
from aerostat.doctor.vm_facts import VmFacts
from aerostat.doctor.vm_monitor import VmBalloon, VmMonitor
from aerostat.doctor.vm_ports import VmDoor
from aerostat.drivers.agent import agent_socket
from aerostat.drivers.qmp.holders import preferred
from aerostat.ports.custody import Lock
from aerostat.units import MIB, format_size

UNSPLIT_WORTH_BYTES = 16 * MIB
"""A few huge pages in part are usual."""
STALE_PERIODS = 3
"""A guest that reports every second and has been silent for three is not reporting."""
_STALE_S_MIN = 5.0
_AGENT_RUNS = "Aerostat's agent runs in the guest"
_NOT_OPEN = "has a port, and nobody opened it in the guest"

Check = Callable[[VmFacts], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VmReport:
    """One VM's verdict and what it rests on."""

    facts: VmFacts
    verdict: Verdict
    findings: tuple[Finding, ...]


def judge(facts: VmFacts) -> VmReport:
    """Judge a VM."""
    findings = tuple(finding for check in CHECKS for finding in check(facts))
    return VmReport(facts=facts, verdict=_verdict(facts, findings), findings=findings)


def _verdict(facts: VmFacts, findings: tuple[Finding, ...]) -> Verdict:
    bad = {finding.check for finding in findings if finding.grade is Grade.PROBLEM}
    unknown = {finding.check for finding in findings if finding.grade is Grade.UNKNOWN}
    if facts.is_confidential or (facts.monitor is None and facts.process is None):
        return Verdict.NO
    if bad & {"monitor", "balloon", "locked", "vfio"} or "driver" in unknown:
        return Verdict.MONITOR_ONLY
    if "monitor" in unknown and not {"huge_pages", "custody"} & bad:
        return Verdict.UNKNOWN
    if {"huge_pages", "driver", "custody"} & bad:
        # A driver that is not there reports no free pages either; one that tells nothing may.
        is_there = "driver" not in bad or (facts.balloon is not None and facts.balloon.why_silent)
        reports = facts.reports_free_pages and is_there
        return Verdict.REPORTING_ONLY if reports else Verdict.MONITOR_ONLY
    return Verdict.BALLOONABLE


def _monitor(facts: VmFacts) -> Iterator[Finding]:
    if facts.monitor is not None and facts.monitor.is_told_by_daemon:
        says = f"Aerostat's daemon asks it, and tells: {facts.monitor.run_state}"
        yield Finding(check="monitor", grade=Grade.GOOD, says=says)
        return
    if facts.monitor is not None:
        program = facts.monitor.program
        version = facts.monitor.version or "of an unknown version"
        state = facts.monitor.run_state or "in an unknown state"
        yield Finding(
            check="monitor", grade=Grade.GOOD, says=f"answers: {program} {version}, {state}"
        )
        return
    says = facts.monitor_trouble or "it has no QMP monitor of its own"
    process = facts.process
    # libvirt knows the domain, and it is the domain that does not answer libvirt.
    is_hung = facts.known_platform == "libvirt"
    is_there = process is not None and bool(process.sockets or process.api_socket)
    grade = Grade.UNKNOWN if is_there or is_hung else Grade.PROBLEM
    fix = _fix("hung" if is_hung else "monitor", facts)
    yield Finding(check="monitor", grade=grade, says=says, fix=fix)


def _custody(facts: VmFacts) -> Iterator[Finding]:
    custody = facts.custody
    if custody.rival is not None:
        yield _problem("custody", f"{custody.rival}: Aerostat leaves it alone", custody.handover)
    if custody.lock is not Lock.NONE:
        held = custody.lock is Lock.BACKUP
        says = (
            "it is locked for a backup: nothing is taken from it meanwhile"
            if held
            else "it is locked for a migration, a snapshot or a suspend: it is not touched"
        )
        fix = f"wait for the task; a lock that one left behind: qm unlock {custody.number}"
        yield _advice("lock", says, fix)


def _confidential(facts: VmFacts) -> Iterator[Finding]:
    if facts.is_confidential:
        says = "its memory is encrypted against the host (SEV, TDX): a balloon must not be used"
        yield Finding(check="confidential", grade=Grade.PROBLEM, says=says)


def _balloon(facts: VmFacts) -> Iterator[Finding]:
    if facts.monitor is None and facts.process is None:
        return  # nobody tells what it has
    if not facts.has_balloon:
        says = "it has no balloon device"
        yield _problem("balloon", says, _fix("balloon", facts))
        return
    yield Finding(check="balloon", grade=Grade.GOOD, says="it has a balloon device")
    if facts.deflates_on_oom is False:
        says = "deflate-on-oom is off: a guest out of memory kills a process at once"
        yield _advice("deflate_on_oom", says, _fix("deflate", facts))
    if facts.reports_free_pages:
        says = "free page reporting is on: what the guest frees comes back by itself"
        yield Finding(check="free_page_reporting", grade=Grade.GOOD, says=says)
    hinting = None if facts.balloon is None else facts.balloon.hinting
    if hinting is not None:
        says = f"free page hinting: {hinting.value}"
        yield Finding(check="free_page_hinting", grade=Grade.GOOD, says=says)
    if facts.reports_free_pages is False:
        says = "free page reporting is off: what the guest frees comes back only by the balloon"
        yield _advice("free_page_reporting", says, _fix("reporting", facts))


def _driver(facts: VmFacts) -> Iterator[Finding]:
    monitor = facts.monitor
    if monitor is None or monitor.balloon is None:
        return
    balloon = monitor.balloon
    age_s, period_s = balloon.sample_age_s, balloon.statistics_period_s
    if balloon.why_silent is not None:
        yield _problem("driver", balloon.why_silent, _fix("statistics", facts))
        return
    if age_s is None and monitor.run_state != "running":
        says = f"the guest is {monitor.run_state}: its balloon driver cannot have reported"
        yield Finding(check="driver", grade=Grade.UNKNOWN, says=says)
    elif age_s is None:
        says = "the guest's balloon driver has never reported: it is not loaded"
        yield _problem("driver", says, DRIVER)
    elif period_s is None:
        yield _asked(balloon, age_s, is_running=monitor.run_state == "running")
    elif period_s == 0:
        says = "the guest's driver is loaded; its reports are off, and Aerostat switches them on"
        yield Finding(check="driver", grade=Grade.GOOD, says=says)
    elif monitor.run_state == "running" and age_s > max(_STALE_S_MIN, STALE_PERIODS * period_s):
        says = f"the guest is to report every {period_s} s and has been silent for {age_s:.0f} s"
        yield _problem("driver", says, "look whether the guest hangs; then " + DRIVER)
    else:
        says = f"the guest's driver reports every {period_s} s, last {age_s:.0f} s ago"
        yield Finding(check="driver", grade=Grade.GOOD, says=says)
    if age_s is not None and not balloon.has_figures:
        says = "the guest does not say what it has available: nothing is taken from it"
        yield _advice("figures", says, "in the guest: a kernel from 4.6 on, or a newer driver")


def _asked(balloon: VmBalloon, age_s: float, *, is_running: bool) -> Finding:
    """Of a hypervisor that has its guest report when it is asked, or does not say how often."""
    if not balloon.has_time_stamps and not balloon.has_changed:
        says = (
            "the guest's driver has reported; whether it still does cannot be seen: no figure "
            "has changed while it was looked at"
        )
        return Finding(check="statistics", grade=Grade.UNKNOWN, says=says)
    if not balloon.has_time_stamps:
        says = "the guest's driver reports: its figures change"
        return Finding(check="driver", grade=Grade.GOOD, says=says)
    if is_running and age_s > _STALE_S_MIN:
        says = (
            f"asked for its figures, the guest's driver is silent: the last are {age_s:.0f} s old"
        )
        return _problem("driver", says, "look whether the guest hangs; then " + DRIVER)
    says = f"the guest's driver reports, last {age_s:.0f} s ago"
    return Finding(check="driver", grade=Grade.GOOD, says=says)


def _backing(facts: VmFacts) -> Iterator[Finding]:
    if facts.is_locked:
        says = "its memory is locked: the balloon inflates, and the host gets nothing back"
        yield _problem("locked", says, _fix("locked", facts))
    if facts.has_vfio:
        says = "a device of the host is passed through (VFIO): QEMU ignores the balloon"
        yield _problem("vfio", says, "remove the device, or leave this VM out")
    if facts.has_hugetlb:
        says = "its memory is in fixed huge pages: an inflated balloon frees nothing, and may cost"
        yield _problem("huge_pages", says, _fix("huge", facts))
    if facts.is_shared:
        says = (
            "its memory is shared with other processes: what the balloon takes comes back all "
            "the same, but is not merged, and counts in a cgroup as shared memory"
        )
        yield Finding(check="shared", grade=Grade.GOOD, says=says)


def _unsplit(facts: VmFacts) -> Iterator[Finding]:
    held = None if facts.process is None else facts.process.unsplit_bytes
    if held is not None and held >= UNSPLIT_WORTH_BYTES:
        says = (
            f"{format_size(held)} of what it gave are still held by the host, in huge pages that "
            "nobody has split"
        )
        yield _advice("unsplit", says, UNSPLIT)


def _swap(facts: VmFacts) -> Iterator[Finding]:
    process = facts.process
    yield from _guest_swap(facts)
    if process is not None and process.swapped_bytes:
        says = f"the host has swapped {format_size(process.swapped_bytes)} of it out"
        fix = "give the host room, and inflate before it swaps: inflating now reads that back"
        yield _advice("host_swap", says, fix)


def _guest_swap(facts: VmFacts) -> Iterator[Finding]:
    monitor = facts.monitor
    if monitor is None or monitor.balloon is None:
        return
    if monitor.guest_swap_bytes == 0:
        yield _advice("guest_swap", "the guest has no swap, by its own agent's word", GUEST_SWAP)
    elif monitor.guest_swap_bytes is not None:
        says = f"the guest has {format_size(monitor.guest_swap_bytes)} of swap"
        yield Finding(check="guest_swap", grade=Grade.GOOD, says=says)
    elif monitor.balloon.swap_bytes_seen:
        says = "the guest has swap: it has used it since it booted"
        yield Finding(check="guest_swap", grade=Grade.GOOD, says=says)
    else:
        says = "whether the guest has swap is not known: it has not swapped, and no agent tells"
        yield Finding(check="guest_swap", grade=Grade.UNKNOWN, says=says)


def _merging(facts: VmFacts) -> Iterator[Finding]:
    """What KSM does for it; where keeping track of its pages takes more than it saves, that."""
    if facts.process is None or not facts.process.merged.merged_bytes:
        return
    merged, profit = facts.process.merged.merged_bytes, facts.process.merged.profit_bytes
    says = f"{format_size(merged)} of it are merged with equal pages (KSM)"
    if profit is None:
        yield Finding(check="merge", grade=Grade.GOOD, says=says)
    elif profit >= 0:
        says += f", which saves the host {format_size(profit)}"
        yield Finding(check="merge", grade=Grade.GOOD, says=says)
    else:
        says += f", and to keep track of that takes {format_size(-profit)} more than it saves"
        fix = "start it with -machine mem-merge=off (libvirt: <nosharepages/>)"
        yield _advice("merge", says, fix)


def _agents(facts: VmFacts) -> Iterator[Finding]:
    monitor = facts.monitor
    if monitor is None:
        return
    if monitor.is_told_by_daemon:  # it tells nothing of ports, but of an agent that it hears
        if monitor.own_agent is not None and monitor.own_agent.is_open:
            yield Finding(check="agent", grade=Grade.GOOD, says=_AGENT_RUNS)
        return
    yield from _qemu_agent(facts, monitor)
    if facts.platform not in AGENT_PLATFORMS:
        return
    own, door = monitor.own_agent, monitor.agent_door
    if door is not None:
        yield _door(door)
    elif own is None:
        says = "it has no channel for Aerostat's agent (optional): pressure is not pushed, but read"
        yield _advice("agent", says, _fix("agent", facts))
    elif own.why_unheard is not None:
        says = f"Aerostat's agent would not be heard: {own.why_unheard}"
        yield _advice("agent", says, _fix("agent", facts))
    elif not own.is_open:
        yield _advice("agent", f"Aerostat's agent {_NOT_OPEN}", AGENT_IN_GUEST)
    else:
        yield Finding(check="agent", grade=Grade.GOOD, says=_AGENT_RUNS)


def _qemu_agent(facts: VmFacts, monitor: VmMonitor) -> Iterator[Finding]:
    """The hypervisor's own agent: optional, and without it some things stay unknown."""
    if monitor.qemu_agent is not None and monitor.qemu_agent.is_open:
        yield Finding(check="guest_agent", grade=Grade.GOOD, says="QEMU's guest agent runs")
    elif monitor.qemu_agent is not None:
        yield _advice("guest_agent", f"QEMU's guest agent {_NOT_OPEN}", QEMU_AGENT_IN_GUEST)
    elif facts.platform in QEMU_AGENT_PLATFORMS:
        says = "it has no port for QEMU's guest agent (optional): its swap, for one, is not known"
        yield _advice("guest_agent", says, _fix("qemu_agent", facts))


def _door(door: VmDoor) -> Finding:
    """By vsock the agent calls, and only whoever listens there knows whether it has."""
    if door.is_listened_at:
        says = f"its agent is listened for at {door.path}; whether it calls, aerostat show tells"
        return Finding(check="agent", grade=Grade.GOOD, says=says)
    says = f"it has a vsock, and nobody listens at {door.path} for its agent (optional)"
    return Finding(check="agent", grade=Grade.ADVICE, says=says, fix=LISTEN)


def _busy(facts: VmFacts) -> Iterator[Finding]:
    if facts.monitor is not None and facts.monitor.is_migrating:
        says = "it is being migrated: nothing is moved meanwhile"
        yield Finding(check="migration", grade=Grade.ADVICE, says=says)


CHECKS: tuple[Check, ...] = (
    _monitor,
    _custody,
    _confidential,
    _balloon,
    _driver,
    _backing,
    _unsplit,
    _swap,
    _merging,
    _agents,
    _busy,
)


def _fix(what: str, facts: VmFacts) -> str:
    process = facts.process
    sockets = () if process is None else process.sockets
    return fix_for(
        what,
        platform=facts.platform,
        name=facts.name,
        number=None if process is None else process.number,
        pid=None if process is None else process.pid,
        agent=agent_socket(preferred(sockets)[0]) if sockets else None,
    )


def _problem(check: str, says: str, fix: str | None) -> Finding:
    return Finding(check=check, grade=Grade.PROBLEM, says=says, fix=fix)


def _advice(check: str, says: str, fix: str) -> Finding:
    return Finding(check=check, grade=Grade.ADVICE, says=says, fix=fix)
