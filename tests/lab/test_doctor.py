"""The doctor on real guests: a good VM of each kind, bad ones, and its fixes applied to those."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aerostat.doctor.examine import Places, examine
from aerostat.doctor.finding import Finding, Grade, Verdict
from aerostat.doctor.vm_verdict import VmReport
from aerostat.lab.image import GuestImage
from aerostat.lab.machine import MachineSpec, WorkloadSpec
from aerostat.units import MIB
from deadlines import PATIENCE_S
from lab.guests_in_thread import booted_guests
from libvirtd_process import NO_BALLOON, Libvirtd, is_there, private_libvirtd

pytestmark = [pytest.mark.lab, pytest.mark.slow]


def spec(name: str, **changed: object) -> MachineSpec:
    told: dict[str, object] = {
        "ram_bytes": 256 * MIB,
        "swap_bytes": 64 * MIB,
        "free_page_reporting": True,
        "workload": WorkloadSpec(hot_bytes=16 * MIB, rate=100),
    }
    return MachineSpec(name=name, **{**told, **changed})  # type: ignore[arg-type] # real fields


def report_of(name: str, libvirt: str | None = None) -> VmReport:
    found = asyncio.run(examine(Places(libvirt=libvirt), only=name))
    (report,) = found.vms
    return report


def problems(report: VmReport) -> dict[str, Finding]:
    return {f.check: f for f in report.findings if f.grade is Grade.PROBLEM}


def until_verdict(look: Callable[[], VmReport], verdict: Verdict) -> VmReport:
    give_up_s = time.monotonic() + PATIENCE_S
    while (report := look()).verdict is not verdict:
        assert time.monotonic() < give_up_s, report
        time.sleep(0.5)
    return report


def test_plain_qemu_each_verdict_is_right_and_each_fix_works(
    image: GuestImage, run_dir: Path
) -> None:
    bad: dict[str, tuple[dict[str, object], str, str]] = {
        "doc-bare": ({"has_balloon": False}, "balloon", "-device virtio-balloon-pci"),
        "doc-late": ({"balloon_driver": "late", "balloon_after_s": 20.0}, "driver", "modprobe"),
        "doc-lock": ({"extra_args": ("-overcommit", "mem-lock=on")}, "locked", "mem-lock"),
    }
    specs = [spec(name, **changed) for name, (changed, _, _) in bad.items()]
    with booted_guests([spec("doc-good"), *specs], image, run_dir) as guests:
        good = report_of("doc-good")
        assert good.verdict is Verdict.BALLOONABLE
        assert problems(good) == {}
        for name, (_, check, fix) in bad.items():
            report = report_of(name)
            assert report.verdict is Verdict.MONITOR_ONLY, report.findings
            assert fix in (problems(report)[check].fix or "")
        # "modprobe virtio_balloon" in the guest: its init does that a while after it has booted.
        until_verdict(lambda: report_of("doc-late"), Verdict.BALLOONABLE)
        assert guests.are_well
    with booted_guests([spec("doc-bare"), spec("doc-lock")], image, run_dir):
        # Started again with the options that the fixes name, or without those.
        for name in ("doc-bare", "doc-lock"):
            until_verdict(lambda name=name: report_of(name), Verdict.BALLOONABLE)  # type: ignore[misc] # bound now


def test_what_could_be_better_is_gone_once_it_is_done(image: GuestImage, run_dir: Path) -> None:
    def advice() -> set[str]:
        return {f.check for f in report_of("doc-fair").findings if f.grade is Grade.ADVICE}

    poor = spec("doc-fair", deflate_on_oom=False, free_page_reporting=False)
    with booted_guests([poor], image, run_dir):
        assert {"deflate_on_oom", "free_page_reporting"} <= advice()
    with booted_guests([spec("doc-fair")], image, run_dir):
        assert not {"deflate_on_oom", "free_page_reporting"} & advice()


@pytest.mark.skipif(not is_there(), reason="libvirtd is not installed: libvirt-daemon")
def test_libvirt_each_verdict_is_right_and_each_fix_works(image: GuestImage) -> None:
    with private_libvirtd(image) as host:
        fine = "<memballoon model='virtio' autodeflate='on' freePageReporting='on'/>"
        host.create("doc-good", devices=fine)
        host.create("doc-bare", devices=NO_BALLOON)
        host.create("doc-mute", devices=fine, kernel_args="noballoon")
        host.booted()
        good = until_verdict(lambda: report_of("doc-good", host.uri), Verdict.BALLOONABLE)
        assert problems(good) == {}
        assert good.facts.platform == "libvirt"
        assert good.facts.process is not None
        assert good.facts.process.pid == host.pid("doc-good")
        mute = report_of("doc-mute", host.uri)
        assert mute.verdict is Verdict.MONITOR_ONLY
        assert "modprobe" in (problems(mute)["driver"].fix or "")
        bare = report_of("doc-bare", host.uri)
        assert bare.verdict is Verdict.MONITOR_ONLY
        _apply(host, problems(bare)["balloon"].fix or "")
        fixed = until_verdict(lambda: report_of("doc-bare", host.uri), Verdict.BALLOONABLE)
        advice = {f.check for f in fixed.findings if f.grade is Grade.ADVICE}
        assert advice.isdisjoint({"deflate_on_oom", "free_page_reporting"})
        _hang(host)


def _apply(host: Libvirtd, fix: str) -> None:
    """Stop the domain and start it with the very line that the doctor names."""
    line = re.search(r"<memballoon.*</memballoon>", fix)
    assert line is not None, fix
    host.domain("doc-bare").destroy()
    host.create("doc-bare", devices=line[0])
    host.booted("doc-bare")


def _hang(host: Libvirtd) -> None:
    """One whose QEMU hangs is told so, and holds up nobody."""
    os.kill(host.pid("doc-mute"), signal.SIGSTOP)
    try:
        hung = report_of("doc-mute", host.uri)
        assert hung.verdict is Verdict.UNKNOWN
        told = next(f for f in hung.findings if f.check == "monitor")
        assert "hangs" in told.says
        assert f"kill -CONT {host.pid('doc-mute')}" in (told.fix or "")
        assert report_of("doc-good", host.uri).verdict is Verdict.BALLOONABLE
    finally:
        os.kill(host.pid("doc-mute"), signal.SIGCONT)


@pytest.mark.skipif(not is_there(), reason="libvirtd is not installed: libvirt-daemon")
def test_a_libvirt_that_is_not_there_is_told(tmp_path: Path) -> None:
    uri = f"qemu+unix:///session?socket={tmp_path}/none"
    found = asyncio.run(examine(Places(libvirt=uri)))
    (told,) = [f for f in found.host if f.check == "libvirt"]
    assert told.grade is Grade.PROBLEM
    assert uri in told.says
