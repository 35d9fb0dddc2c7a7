"""The doctor beside a daemon that holds a VM's monitor: nobody knocks, and the VM is judged."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

from aerostat.doctor.examine import Places, examine
from aerostat.doctor.finding import Grade, Verdict
from aerostat.doctor.held import monitor_of
from aerostat.doctor.vm_facts import VmFacts
from aerostat.doctor.vm_verdict import judge
from aerostat.model.figures import Absence, AbsentFigure, BalloonStatistics, GuestPressure
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.units import MIB

GUEST = GuestSnapshot(
    guest=GuestId("web"),
    name="web",
    run_state=RunState.RUNNING,
    max_bytes=512 * MIB,
    actual_bytes=400 * MIB,
    has_balloon=True,
    deflates_on_oom=True,
    statistics=BalloonStatistics(
        sampled_wall_s=100.0, age_s=1.0, available_bytes=100 * MIB, swap_in_bytes=0,
        swap_out_bytes=4096,
    ),
    pressure=GuestPressure(sampled_wall_s=100.0, age_s=1.0, some_total_s=2.0),
)  # fmt: skip


def test_what_the_daemon_knows_counts_and_its_monitor_is_left_alone(tmp_path: Path) -> None:
    monitor = tmp_path / "web.qmp"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(monitor))
        listening.listen(1)
        listening.setblocking(False)  # of the library
        process = tmp_path / "proc/4711"
        process.mkdir(parents=True)
        arguments = (
            "/usr/bin/qemu-system-x86_64", "-name", "guest=web", "-m", "512",
            "-qmp", f"unix:{monitor},server=on,wait=off",
            "-device", "virtio-balloon-pci,id=b,deflate-on-oom=on",
        )  # fmt: skip
        (process / "cmdline").write_text("\0".join(arguments) + "\0")
        held = monitor_of(GUEST)
        assert held is not None
        found = asyncio.run(examine(Places(held={"web": held}), root=tmp_path))
        try:
            listening.accept()
        except BlockingIOError:
            pass
        else:
            raise AssertionError("somebody knocked")
    (vm,) = found.vms
    assert vm.verdict is Verdict.BALLOONABLE
    says = {finding.check: finding.says for finding in vm.findings}
    assert "daemon asks it" in says["monitor"]
    assert "last 1 s ago" in says["driver"]
    assert "runs in the guest" in says["agent"]


def test_a_driver_that_has_never_reported_is_not_loaded() -> None:
    absent = (AbsentFigure(name="available_bytes", why=Absence.NEVER_SAMPLED),)
    silent = BalloonStatistics(sampled_wall_s=0.0, age_s=0.0, absent=absent)
    monitor = monitor_of(replace(GUEST, statistics=silent))
    report = judge(VmFacts(name="web", monitor=monitor))
    (driver,) = [finding for finding in report.findings if finding.check == "driver"]
    assert driver.grade is Grade.PROBLEM
    assert "never reported" in driver.says
    assert report.verdict is Verdict.MONITOR_ONLY


def test_a_driver_that_has_fallen_silent_is_a_problem() -> None:
    assert GUEST.statistics is not None
    old = replace(GUEST, statistics=replace(GUEST.statistics, age_s=300.0))
    report = judge(VmFacts(name="web", monitor=monitor_of(old)))
    (driver,) = [finding for finding in report.findings if finding.check == "driver"]
    assert driver.grade is Grade.PROBLEM
    assert "not for 300 s" in driver.says
    observed = judge(VmFacts(name="web", monitor=monitor_of(old, has_armed=False)))
    (driver,) = [finding for finding in observed.findings if finding.check == "driver"]
    assert driver.grade is Grade.GOOD
    assert "its reports are off" in driver.says


def test_one_that_does_not_answer_the_daemon_is_not_taken_for_one_that_does() -> None:
    silent = GuestSnapshot(guest=GuestId("x"), name="x", run_state=RunState.UNREACHABLE)
    assert monitor_of(silent) is None


def test_a_vm_whose_process_does_not_show_is_listed_by_the_daemons_word(tmp_path: Path) -> None:
    """In another namespace, say: it used to be left out, and nothing seemed to be wrong."""
    held = monitor_of(GUEST)
    assert held is not None
    (tmp_path / "proc").mkdir()
    known = {"00000000-0000-0000-0000-00000000beef": held, "web": held}
    (vm,) = asyncio.run(examine(Places(held=known), root=tmp_path)).vms
    assert (vm.facts.name, vm.verdict) == ("web", Verdict.BALLOONABLE)


def test_a_monitor_that_does_not_answer_says_nothing_of_a_balloon() -> None:
    report = judge(VmFacts(name="web", monitor_trouble="no greeting within 2 s"))
    assert "balloon" not in {finding.check for finding in report.findings}
    assert report.verdict is Verdict.NO


def test_a_vm_without_a_name_is_one_vm_known_by_its_socket(tmp_path: Path) -> None:
    """The daemon calls it after its socket, the process shows no more than its number."""
    process = tmp_path / "proc/4711"
    process.mkdir(parents=True)
    monitor = f"unix:{tmp_path}/web.qmp,server=on,wait=off"
    words = ("qemu-system-x86_64", "-m", "512", "-qmp", monitor)
    (process / "cmdline").write_text("\0".join(words) + "\0")
    held = monitor_of(GUEST)
    assert held is not None
    (vm,) = asyncio.run(examine(Places(held={"web": held}), root=tmp_path)).vms
    assert "daemon asks it" in next(f.says for f in vm.findings if f.check == "monitor")
