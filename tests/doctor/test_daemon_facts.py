"""Where Aerostat's own daemon holds the monitors, it tells."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from aerostat.doctor.daemon_facts import DaemonFacts
from aerostat.doctor.finding import Grade, Verdict
from aerostat.doctor.vm_facts import VmFacts
from aerostat.doctor.vm_process import VmProcess
from aerostat.doctor.vm_verdict import judge
from aerostat.units import GIB

GUEST = {
    "id": "11111111-2222-3333-4444-555555555555",
    "name": "web",
    "run_state": "running",
    "max_bytes": 4 * GIB,
    "actual_bytes": 3 * GIB,
    "guest_available_bytes": GIB,
    "figures_age_s": 1.2,
}
PROCESS = VmProcess(
    pid=7,
    name="web",
    platform="qemu",
    sockets=(Path("/run/vm/web.qmp"),),
    has_balloon=True,
    deflates_on_oom=True,
    reports_free_pages=True,
)


def verdict(*guests: dict[str, object], process: VmProcess = PROCESS) -> VmFacts:
    monitor = DaemonFacts(guests, statistics_period_s=1).of(process)
    return VmFacts(name="web", process=process, monitor=monitor, monitor_trouble="it is held")


def test_what_the_daemon_knows_makes_a_verdict() -> None:
    report = judge(verdict(GUEST))
    assert report.verdict is Verdict.BALLOONABLE
    assert {f.grade for f in report.findings} <= {Grade.GOOD, Grade.UNKNOWN}
    assert any("Aerostat's daemon" in f.says for f in report.findings)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"figures_age_s": None}, Verdict.MONITOR_ONLY),  # its driver has never reported
        ({"figures_age_s": 90.0}, Verdict.MONITOR_ONLY),  # and this one has stopped
        ({"run_state": "unreachable"}, Verdict.UNKNOWN),
        ({"name": "other"}, Verdict.UNKNOWN),
    ],
)
def test_what_it_does_not_know_stays_unknown(changed: dict[str, object], expected: Verdict) -> None:
    assert judge(verdict({**GUEST, **changed})).verdict is expected


def test_vms_are_told_apart_by_uuid_and_never_guessed() -> None:
    other = {**GUEST, "id": "x", "actual_bytes": 1}
    assert verdict(GUEST, other).monitor is None
    known = verdict(GUEST, other, process=replace(PROCESS, uuid=str(GUEST["id"]))).monitor
    assert known is not None
    assert known.actual_bytes == 3 * GIB


def test_no_daemon_is_no_fault(tmp_path: Path) -> None:
    assert asyncio.run(DaemonFacts.ask(tmp_path / "gone.sock")) == DaemonFacts()
