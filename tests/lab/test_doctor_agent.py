"""What the doctor says of Aerostat's agent, in real guests, and its fixes applied to them."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import libvirt
import pytest

from aerostat.doctor.examine import Places, examine
from aerostat.doctor.finding import Finding, Grade
from aerostat.lab.image import GuestImage, build_image
from aerostat.lab.machine import MachineSpec, WorkloadSpec
from aerostat.units import MIB
from deadlines import PATIENCE_S
from lab.guests_in_thread import booted_guests
from libvirtd_process import BALLOON, is_there, private_libvirtd

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]


@pytest.fixture(scope="module")
def agent_image(cache_dir: Path) -> GuestImage:
    return build_image(cache_dir, print, with_agent=True)


def findings_of(name: str, libvirt_uri: str | None = None) -> list[Finding]:
    """Of its agent; of a guest that is booting nothing is said of one."""
    (report,) = asyncio.run(examine(Places(libvirt=libvirt_uri), only=name)).vms
    return [f for f in report.findings if f.check == "agent"]


def finding_of(name: str, libvirt_uri: str | None = None) -> Finding:
    (found,) = findings_of(name, libvirt_uri)
    return found


def until(look: Callable[[], list[Finding]], grade: Grade, says: str) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if any(one.grade is grade and says in one.says for one in found):
            return
        assert time.monotonic() < give_up_s, found
        time.sleep(0.2)


def spec(name: str, *, extra_args: Sequence[str] = ()) -> MachineSpec:
    load = WorkloadSpec(hot_bytes=16 * MIB, rate=100)
    return MachineSpec(name=name, extra_args=tuple(extra_args), workload=load)


def test_the_options_that_it_names_give_qemu_an_agent_that_runs(
    agent_image: GuestImage, run_dir: Path
) -> None:
    with booted_guests([spec("doc-eve")], agent_image, run_dir):
        missing = finding_of("doc-eve")
        assert missing.grade is Grade.ADVICE
        assert "no channel" in missing.says
    options = (missing.fix or "").removeprefix("start it with ").split(" ")
    with booted_guests([spec("doc-eve", extra_args=options)], agent_image, run_dir):
        until(lambda: findings_of("doc-eve"), Grade.GOOD, "runs")


def test_a_port_without_an_agent_in_the_guest_is_told(image: GuestImage, run_dir: Path) -> None:
    load = WorkloadSpec(hot_bytes=16 * MIB, rate=100)
    deaf = MachineSpec(name="doc-deaf", has_agent_port=True, workload=load)
    with booted_guests([deaf], image, run_dir):
        told = finding_of("doc-deaf")
        assert told.grade is Grade.ADVICE
        assert "nobody opened it" in told.says
        assert "systemctl enable" in (told.fix or "")


@pytest.mark.skipif(not is_there(), reason="libvirtd is not installed: libvirt-daemon")
def test_the_channel_that_it_names_can_be_attached_while_a_domain_runs(
    agent_image: GuestImage,
) -> None:
    with private_libvirtd(agent_image) as host:
        domain = host.create("doc-eve", devices=BALLOON)
        host.booted("doc-eve")
        missing = finding_of("doc-eve", host.uri)
        assert missing.grade is Grade.ADVICE
        assert "no channel" in missing.says
        channel = re.search(r"<channel.*</channel>", missing.fix or "")
        assert channel is not None, missing
        domain.attachDeviceFlags(channel[0], libvirt.VIR_DOMAIN_AFFECT_LIVE)
        # The lab's guest has no systemd: its agent looks for its port once, as it boots.
        until(lambda: findings_of("doc-eve", host.uri), Grade.ADVICE, "nobody opened it")
        domain.reset()
        until(lambda: findings_of("doc-eve", host.uri), Grade.GOOD, "runs")
