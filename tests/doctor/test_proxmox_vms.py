"""VMs as Proxmox starts them, on a host made of files and real sockets."""

import asyncio
from pathlib import Path

import pytest

from aerostat.doctor.examine import Places, examine
from aerostat.doctor.finding import Finding, Grade, Verdict
from aerostat.doctor.vm_verdict import VmReport
from api.live import live

BALLOON = "virtio-balloon-pci,id=balloon0,bus=pci.0,addr=0x3,free-page-reporting=on"


def host(root: Path, settings: str | None) -> Path:
    """A VM with the command line that Proxmox writes; None: its file is not on this node."""
    words = (
        *("/usr/bin/kvm", "-id", "101", "-name", "web,debug-threads=on"),
        *("-chardev", f"socket,id=qmp,path={root}/qemu-server/101.qmp,server=on,wait=off"),
        *("-mon", "chardev=qmp,mode=control", "-pidfile", "/var/run/qemu-server/101.pid"),
        *("-device", BALLOON),
    )
    process = root / "proc/77"
    process.mkdir(parents=True)
    (process / "cmdline").write_text("\0".join(words) + "\0")
    (root / "etc/pve/qemu-server").mkdir(parents=True)
    if settings is not None:
        text = f"name: web\nmemory: 4096\n{settings}\n"
        (root / "etc/pve/qemu-server/101.conf").write_text(text)
    return root


def examined(root: Path, vm: str = "101") -> tuple[VmReport, dict[str, Finding]]:
    places = Places(daemon=root / "no-daemon.sock")
    (report,) = asyncio.run(examine(places, only=vm, root=root)).vms
    return report, {finding.check: finding for finding in report.findings}


def test_one_that_pvestatd_balances_is_told_with_the_evidence_and_the_way_out(
    tmp_path: Path,
) -> None:
    report, found = examined(host(tmp_path, "balloon: 1024"))
    assert report.verdict is Verdict.REPORTING_ONLY
    assert found["custody"].grade is Grade.PROBLEM
    assert "balloon: 1024, shares: 1000" in found["custody"].says
    assert found["custody"].fix == "qm set 101 --shares 0"


def test_one_that_is_handed_over_is_not(tmp_path: Path) -> None:
    report, found = examined(host(tmp_path, "balloon: 1024\nshares: 0"))
    assert "custody" not in found
    assert report.verdict is Verdict.UNKNOWN, "nobody listens at its monitor here"


def test_one_whose_settings_are_not_here_is_left_alone(tmp_path: Path) -> None:
    _, found = examined(host(tmp_path, None))
    assert "nobody can tell" in found["custody"].says


def test_one_that_is_locked(tmp_path: Path) -> None:
    _, found = examined(host(tmp_path, "lock: snapshot"))
    assert found["lock"].grade is Grade.ADVICE
    assert "qm unlock 101" in (found["lock"].fix or "")


def test_it_is_found_by_its_name_too(tmp_path: Path) -> None:
    report, _ = examined(host(tmp_path, "shares: 0"), "web")
    assert report.facts.platform == "proxmox"


@pytest.mark.slow
def test_a_real_daemon_tells_of_a_vm_whose_monitor_it_holds(tmp_path: Path) -> None:
    process = tmp_path / "proc/77"
    process.mkdir(parents=True)
    words = ("qemu-system-x86_64", "-name", "ada", "-qmp", "unix:/nowhere/ada.qmp,server=on")
    (process / "cmdline").write_text("\0".join((*words, "-device", "virtio-balloon-pci")) + "\0")
    with live(tmp_path) as daemon:
        places = Places(daemon=daemon.socket)
        (report,) = asyncio.run(examine(places, only="ada", root=tmp_path)).vms
    assert report.facts.monitor is not None
    assert report.facts.monitor.is_told_by_daemon
    assert report.verdict is Verdict.BALLOONABLE
