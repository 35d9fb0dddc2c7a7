"""Every cause that can be told gets its verdict, its evidence and its fix."""

from dataclasses import replace
from pathlib import Path

import pytest

from aerostat.doctor.finding import Grade, Verdict
from aerostat.doctor.fixes import fix_for
from aerostat.doctor.vm_facts import VmFacts
from aerostat.doctor.vm_monitor import VmBalloon, VmMonitor
from aerostat.doctor.vm_ports import VmDoor, VmPort
from aerostat.doctor.vm_process import VmProcess
from aerostat.doctor.vm_verdict import VmReport, judge
from aerostat.host.process_memory import Merged
from aerostat.host.proxmox import custody_of
from aerostat.model.guest import Hinting
from aerostat.ports.custody import Custody, Lock
from aerostat.units import GIB, MIB

BALLOON = VmBalloon(
    deflates_on_oom=True,
    reports_free_pages=True,
    statistics_period_s=1,
    sample_age_s=1.0,
    has_figures=True,
    swap_bytes_seen=4096,
)
MONITOR = VmMonitor(
    run_state="running",
    version="10.0.2",
    balloon=BALLOON,
    max_bytes=4 * GIB,
    actual_bytes=GIB,
    own_agent=VmPort(is_open=True),
    qemu_agent=VmPort(is_open=True),
)
PROCESS = VmProcess(
    pid=7,
    name="web",
    platform="qemu",
    sockets=(Path("/run/vm/web.qmp"),),
    has_balloon=True,
    deflates_on_oom=True,
    reports_free_pages=True,
)
GOOD = VmFacts(name="web", process=PROCESS, monitor=MONITOR)


def with_monitor(**changes: object) -> VmFacts:
    return replace(GOOD, monitor=replace(MONITOR, **changes))  # type: ignore[arg-type] # by name


def with_balloon(**changes: object) -> VmFacts:
    return with_monitor(balloon=replace(BALLOON, **changes))  # type: ignore[arg-type] # by name


def with_process(**changes: object) -> VmFacts:
    return replace(GOOD, process=replace(PROCESS, **changes))  # type: ignore[arg-type] # by name


def graded(report: VmReport, grade: Grade) -> set[str]:
    return {finding.check for finding in report.findings if finding.grade is grade}


def test_a_good_vm_is_balloonable_and_needs_nothing() -> None:
    report = judge(GOOD)
    assert report.verdict is Verdict.BALLOONABLE
    assert {finding.grade for finding in report.findings} == {Grade.GOOD}
    assert all(finding.fix is None for finding in report.findings)


@pytest.mark.parametrize(
    ("facts", "verdict", "problem", "fix"),
    [
        (
            replace(with_process(has_balloon=False), monitor=replace(MONITOR, balloon=None)),
            Verdict.MONITOR_ONLY,
            "balloon",
            "-device virtio-balloon-pci",
        ),
        (with_balloon(sample_age_s=None), Verdict.MONITOR_ONLY, "driver", "modprobe"),
        (
            with_balloon(sample_age_s=None, why_silent="off"),
            Verdict.REPORTING_ONLY,
            "driver",
            "-device virtio-balloon-pci",
        ),
        (with_monitor(is_locked=True), Verdict.MONITOR_ONLY, "locked", "mem-lock"),
        (with_balloon(sample_age_s=300.0), Verdict.MONITOR_ONLY, "driver", "guest hangs"),
        (with_process(is_locked=True), Verdict.MONITOR_ONLY, "locked", "mem-lock"),
        (with_monitor(has_vfio=True), Verdict.MONITOR_ONLY, "vfio", "leave this VM out"),
        (with_process(has_vfio=True), Verdict.MONITOR_ONLY, "vfio", "leave this VM out"),
        (with_monitor(has_hugetlb=True), Verdict.REPORTING_ONLY, "huge_pages", "hugetlb"),
        (with_monitor(is_confidential=True), Verdict.NO, "confidential", None),
        (
            replace(with_process(sockets=()), monitor=None),
            Verdict.MONITOR_ONLY,
            "monitor",
            "-qmp unix:/run/vm/web.qmp",
        ),
    ],
)
def test_each_cause_has_its_verdict_and_its_fix(
    facts: VmFacts, verdict: Verdict, problem: str, fix: str | None
) -> None:
    report = judge(facts)
    assert report.verdict is verdict
    assert graded(report, Grade.PROBLEM) == {problem}
    told = next(f for f in report.findings if f.check == problem)
    assert told.fix == fix if fix is None else fix in (told.fix or "")


def test_huge_pages_without_reporting_give_nothing_back_at_all() -> None:
    facts = replace(
        GOOD,
        monitor=replace(
            MONITOR, has_hugetlb=True, balloon=replace(BALLOON, reports_free_pages=False)
        ),
    )
    assert judge(facts).verdict is Verdict.MONITOR_ONLY


def test_a_monitor_that_somebody_else_holds_is_unknown_not_a_fault() -> None:
    report = judge(replace(GOOD, monitor=None, monitor_trouble="another client holds it"))
    assert graded(report, Grade.UNKNOWN) == {"monitor"}
    assert graded(report, Grade.PROBLEM) == set()
    assert report.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"has_hugetlb": True}, Verdict.REPORTING_ONLY),
        ({"is_locked": True}, Verdict.MONITOR_ONLY),
        ({"has_balloon": False}, Verdict.MONITOR_ONLY),
    ],
)
def test_what_the_process_shows_decides_where_the_monitor_is_held(
    changed: dict[str, bool], verdict: Verdict
) -> None:
    facts = with_process(**changed)
    assert judge(replace(facts, monitor=None, monitor_trouble="held")).verdict is verdict


def test_a_guest_that_has_not_swapped_is_not_taken_for_one_without_swap() -> None:
    report = judge(with_balloon(swap_bytes_seen=0))
    assert report.verdict is Verdict.BALLOONABLE
    assert graded(report, Grade.UNKNOWN) == {"guest_swap"}
    known = judge(with_monitor(guest_swap_bytes=GIB, balloon=replace(BALLOON, swap_bytes_seen=0)))
    assert "guest_swap" in graded(known, Grade.GOOD)


@pytest.mark.parametrize(
    ("reports", "verdict"), [(True, Verdict.REPORTING_ONLY), (False, Verdict.MONITOR_ONLY)]
)
def test_a_vm_that_its_platform_balances_is_not_called_balloonable(
    reports: bool, verdict: Verdict
) -> None:
    custody = custody_of("101", "memory: 4096\nballoon: 1024\n")
    facts = replace(with_balloon(reports_free_pages=reports), custody=custody)
    facts = replace(facts, process=replace(PROCESS, reports_free_pages=reports))
    report = judge(facts)
    assert report.verdict is verdict
    (told,) = (f for f in report.findings if f.check == "custody")
    assert told.grade is Grade.PROBLEM
    assert "balloon: 1024" in told.says
    assert told.fix == "qm set 101 --shares 0"


def test_a_domain_that_hangs_is_not_told_to_ask_libvirt() -> None:
    facts = replace(GOOD, known_platform="libvirt", monitor=None, monitor_trouble="it hangs")
    report = judge(facts)
    assert report.verdict is Verdict.UNKNOWN
    (told,) = (f for f in report.findings if f.check == "monitor")
    assert "virsh domcontrol web" in (told.fix or "")
    assert "kill -CONT 7" in (told.fix or "")


@pytest.mark.parametrize("platform", ["libvirt", "proxmox", "incus", "qemu"])
@pytest.mark.parametrize("what", ["balloon", "reporting", "deflate", "locked", "huge", "monitor"])
def test_fixes_of_a_platform_are_its_own_and_have_no_blanks(platform: str, what: str) -> None:
    words = fix_for(what, platform=platform, name="web", number="101")
    assert "<MiB>" not in words
    assert platform == "qemu" or words != fix_for(what, platform="qemu", name="web", number="101")


def test_nothing_to_be_seen_is_a_no() -> None:
    report = judge(VmFacts(name="x", monitor_trouble="connection refused"))
    assert report.verdict is Verdict.NO


def test_a_guest_that_has_not_started_is_not_told_to_load_its_driver() -> None:
    facts = replace(
        GOOD,
        monitor=replace(
            MONITOR, run_state="prelaunch", balloon=replace(BALLOON, sample_age_s=None)
        ),
    )
    report = judge(facts)
    assert graded(report, Grade.UNKNOWN) == {"driver"}
    assert report.verdict is Verdict.MONITOR_ONLY


def test_a_paused_guest_is_not_called_silent() -> None:
    facts = replace(
        GOOD,
        monitor=replace(MONITOR, run_state="paused", balloon=replace(BALLOON, sample_age_s=500.0)),
    )
    assert judge(facts).verdict is Verdict.BALLOONABLE


@pytest.mark.parametrize(
    ("facts", "advice"),
    [
        (with_balloon(deflates_on_oom=False), "deflate_on_oom"),
        (with_balloon(reports_free_pages=False), "free_page_reporting"),
        (with_balloon(has_figures=False), "figures"),
        (with_monitor(guest_swap_bytes=0), "guest_swap"),
        (with_monitor(qemu_agent=None), "guest_agent"),
        (with_monitor(qemu_agent=VmPort(is_open=False)), "guest_agent"),
        (replace(GOOD, custody=Custody(number="101", lock=Lock.BACKUP)), "lock"),
        (with_process(swapped_bytes=GIB), "host_swap"),
        (with_monitor(is_migrating=True), "migration"),
    ],
)
def test_what_could_be_better_leaves_it_balloonable(facts: VmFacts, advice: str) -> None:
    report = judge(facts)
    assert report.verdict is Verdict.BALLOONABLE
    assert graded(report, Grade.ADVICE) == {advice}


def test_reports_that_are_off_are_no_problem_because_the_daemon_switches_them_on() -> None:
    report = judge(with_balloon(statistics_period_s=0, sample_age_s=5000.0))
    assert report.verdict is Verdict.BALLOONABLE
    assert graded(report, Grade.PROBLEM) == set()


@pytest.mark.parametrize(
    "platform", ["qemu", "libvirt", "proxmox", "incus", "cloud-hypervisor", "firecracker"]
)
def test_every_platform_has_a_fix_in_its_own_words(platform: str) -> None:
    facts = VmFacts(
        name="web",
        process=replace(PROCESS, platform=platform, has_balloon=False, is_locked=True),
        monitor=replace(MONITOR, balloon=None, has_hugetlb=True),
    )
    fixes = [finding.fix for finding in judge(facts).findings if finding.grade is Grade.PROBLEM]
    assert all(fixes)
    if platform == "libvirt":
        assert all("virsh edit web" in str(fix) for fix in fixes)


@pytest.mark.parametrize(
    ("platform", "fix"),
    [
        ("qemu", "path=/run/vm/web.agent,server=on,wait=off"),
        ("proxmox", "qm set 101 --args '-device virtio-serial"),
        ("libvirt", "virsh attach-device web"),
    ],
)
def test_a_missing_channel_for_the_agent_is_added_in_the_platforms_own_words(
    platform: str, fix: str
) -> None:
    facts = with_process(platform=platform, number="101")
    report = judge(replace(facts, monitor=replace(MONITOR, own_agent=None)))
    assert report.verdict is Verdict.BALLOONABLE
    (told,) = (f for f in report.findings if f.check == "agent")
    assert told.grade is Grade.ADVICE
    assert fix in (told.fix or "")
    assert "org.aerostat.agent.0" in (told.fix or "")


@pytest.mark.parametrize(
    ("port", "says", "fix"),
    [
        (VmPort(is_open=False), "nobody opened it in the guest", "systemctl enable"),
        (VmPort(is_open=True, why_unheard="its socket is /x"), "/x", "/run/vm/web.agent"),
    ],
)
def test_an_agent_that_is_dead_or_would_not_be_heard_is_told(
    port: VmPort, says: str, fix: str
) -> None:
    (told,) = (f for f in judge(with_monitor(own_agent=port)).findings if f.check == "agent")
    assert told.grade is Grade.ADVICE
    assert says in told.says
    assert fix in (told.fix or "")


@pytest.mark.parametrize("platform", ["incus"])
def test_no_agent_is_asked_for_where_none_would_be_heard(platform: str) -> None:
    facts = with_process(platform=platform)
    report = judge(replace(facts, monitor=replace(MONITOR, own_agent=None)))
    assert "agent" not in {finding.check for finding in report.findings}


def test_a_proxmox_vm_is_changed_by_its_number() -> None:
    process = replace(PROCESS, platform="proxmox", number="101", has_balloon=False)
    report = judge(replace(GOOD, process=process, monitor=replace(MONITOR, balloon=None)))
    (told,) = (f for f in report.findings if f.check == "balloon")
    assert (told.fix or "").startswith("qm set 101 --delete balloon")


@pytest.mark.parametrize(
    ("profit", "grade", "words"),
    [
        (3 * MIB, Grade.GOOD, "saves the host 3 MiB"),
        (-2 * MIB, Grade.ADVICE, "2 MiB more than it saves"),
        (None, Grade.GOOD, "merged with equal pages"),
    ],
)
def test_what_merging_does_for_a_vm_is_told(profit: int | None, grade: Grade, words: str) -> None:
    merged = Merged(merged_bytes=4 * MIB, profit_bytes=profit)
    found = {finding.check: finding for finding in judge(with_process(merged=merged)).findings}
    assert found["merge"].grade is grade
    assert words in found["merge"].says
    assert "merge" not in {finding.check for finding in judge(GOOD).findings}


def test_memory_that_is_shared_is_told_and_is_no_fault() -> None:
    report = judge(with_monitor(is_shared=True))
    assert report.verdict is Verdict.BALLOONABLE
    assert "shared" in graded(report, Grade.GOOD)


def api_vm(platform: str, **changes: object) -> VmFacts:
    """One behind an HTTP API: its guest is asked, and has no period."""
    balloon = replace(BALLOON, **{"statistics_period_s": None, **changes})  # type: ignore[arg-type] # by name
    monitor = replace(MONITOR, balloon=balloon, own_agent=None)
    return VmFacts(name="web", known_platform=platform, monitor=monitor)


@pytest.mark.parametrize(("age_s", "is_problem"), [(4.0, False), (6.0, True), (86400.0, True)])
def test_figures_of_cloud_hypervisor_that_are_old_are_a_problem(
    age_s: float, is_problem: bool
) -> None:
    report = judge(api_vm("cloud-hypervisor", sample_age_s=age_s))
    assert ("driver" in graded(report, Grade.PROBLEM)) is is_problem
    assert (report.verdict is Verdict.BALLOONABLE) is not is_problem


def test_those_of_a_paused_guest_may_be_old() -> None:
    facts = api_vm("cloud-hypervisor", sample_age_s=86400.0)
    assert facts.monitor is not None
    paused = replace(facts, monitor=replace(facts.monitor, run_state="paused"))
    assert "driver" not in graded(judge(paused), Grade.PROBLEM)


def test_figures_without_a_time_stamp_are_fresh_where_they_change_and_else_unknown() -> None:
    changing = judge(api_vm("firecracker", has_time_stamps=False, has_changed=True))
    assert "driver" in graded(changing, Grade.GOOD)
    still = judge(api_vm("firecracker", has_time_stamps=False, has_changed=False))
    assert graded(still, Grade.UNKNOWN) == {"statistics"}
    assert "driver" not in graded(still, Grade.GOOD)


def test_the_state_of_free_page_hinting_is_told_where_there_is_such_a_thing() -> None:
    report = judge(api_vm("firecracker", hinting=Hinting.RUNNING))
    (finding,) = [f for f in report.findings if f.check == "free_page_hinting"]
    assert "running" in finding.says
    assert not [f for f in judge(GOOD).findings if f.check == "free_page_hinting"]


@pytest.mark.parametrize("platform", ["cloud-hypervisor", "firecracker"])
def test_an_agent_by_vsock_has_its_findings(platform: str) -> None:
    without = judge(api_vm(platform))
    (finding,) = [f for f in without.findings if f.check == "agent"]
    assert finding.grade is Grade.ADVICE
    assert "vsock" in (finding.fix or "")
    facts = api_vm(platform)
    assert facts.monitor is not None
    for is_listened_at, grade in ((True, Grade.GOOD), (False, Grade.ADVICE)):
        door = VmDoor(path=Path("/run/vm/web.vsock_6360"), is_listened_at=is_listened_at)
        heard = judge(replace(facts, monitor=replace(facts.monitor, agent_door=door)))
        (finding,) = [f for f in heard.findings if f.check == "agent"]
        assert finding.grade is grade
        assert "/run/vm/web.vsock_6360" in finding.says


@pytest.mark.parametrize(
    ("told_bytes", "seen_bytes", "is_advised"),
    [(0, 4096, True), (1 << 30, 0, False), (None, 0, False), (None, 4096, False)],
)
def test_that_a_guest_has_swap_its_agent_knows_best(
    told_bytes: int | None, seen_bytes: int, is_advised: bool
) -> None:
    facts = with_balloon(swap_bytes_seen=seen_bytes)
    assert facts.monitor is not None
    report = judge(replace(facts, monitor=replace(facts.monitor, guest_swap_bytes=told_bytes)))
    assert ("guest_swap" in graded(report, Grade.ADVICE)) is is_advised
