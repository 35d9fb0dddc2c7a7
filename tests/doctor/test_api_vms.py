"""The doctor and VMs behind HTTP APIs: good ones, and one of each cause that can be played."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from aerostat.cli.examined import examination_document
from aerostat.doctor.examine import Examination, Places, examine
from aerostat.doctor.finding import Grade, Verdict
from aerostat.drivers.agent import agent_door
from aerostat.host.api_processes import api_processes
from aerostat.sim.cloud_hypervisor.api import CloudHypervisorApi, VmConfig
from aerostat.sim.firecracker.api import Balloon, FirecrackerApi, MicroVm
from aerostat.sim.guest_state import Load
from aerostat.sim.http_api.server import ApiServer
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

SCHEMA = json.loads(resources.files("aerostat.api").joinpath("doctor.schema.json").read_text())
GOOD = {"deflate_on_oom": True, "free_page_reporting": True}
Make = Callable[[World], CloudHypervisorApi | FirecrackerApi]


def ch(*, has_statistics: bool = True, **config: object) -> Make:
    made = VmConfig(size_bytes=512 * MIB, **{**GOOD, **config})  # type: ignore[arg-type] # real fields
    return lambda world: CloudHypervisorApi(world, "vm", made, has_statistics=has_statistics)


def fc(balloon: Balloon | None) -> Make:
    return lambda world: FirecrackerApi(world, "vm", MicroVm(mem_size_mib=512, balloon=balloon))


def fc_balloon(**changed: object) -> Balloon:
    told = {"stats_polling_interval_s": 1, **GOOD, **changed}
    return Balloon(**told)  # type: ignore[arg-type] # real fields


def examined(
    directory: Path, make: Make, *, has_driver: bool = True, frozen_s: float = 0.0
) -> Examination:
    """What the doctor finds of one VM, after its guest has run for a moment, or fallen silent."""

    async def main() -> Examination:
        load = Load(hot_bytes=80 * MIB, heap_bytes=100 * MIB)
        world = World([GuestSpec(name="vm", load=load)], wall_start_s=time.time())
        (guest,) = world.guests.values()
        guest.faults.has_driver = has_driver
        api = make(world)
        async with AsyncExitStack() as stack:
            server = ApiServer(directory / "vm.sock", api.answer, lambda: guest.faults)
            await server.open()
            stack.push_async_callback(server.close)
            living = asyncio.create_task(world.run())
            stack.callback(living.cancel)
            await asyncio.sleep(2.5)  # the guest's driver reports once a second
            guest.faults.has_frozen_statistics = frozen_s > 0
            await asyncio.sleep(frozen_s)
            pattern = [str(directory / "*.sock")]
            if isinstance(api, CloudHypervisorApi):
                return await examine(Places(cloud_hypervisor=pattern), root=directory)
            return await examine(Places(firecracker=pattern), root=directory)

    (directory / "proc").mkdir()
    return asyncio.run(main())


@pytest.mark.parametrize(
    ("make", "has_driver", "verdict", "problem", "fix"),
    [
        (ch(), True, Verdict.BALLOONABLE, None, None),
        (ch(has_balloon=False), True, Verdict.MONITOR_ONLY, "balloon", "--balloon size=0"),
        (ch(), False, Verdict.MONITOR_ONLY, "driver", "modprobe"),
        (ch(has_statistics=False), True, Verdict.REPORTING_ONLY, "driver", "after v53"),
        (ch(has_huge_pages=True), True, Verdict.REPORTING_ONLY, "huge_pages", "hugepages=on"),
        (ch(devices=("/sys/x",)), True, Verdict.MONITOR_ONLY, "vfio", "remove the device"),
        (fc(fc_balloon()), True, Verdict.BALLOONABLE, None, None),
        (fc(None), True, Verdict.MONITOR_ONLY, "balloon", "PUT /balloon"),
        (fc(fc_balloon()), False, Verdict.MONITOR_ONLY, "driver", "modprobe"),
        (
            fc(fc_balloon(stats_polling_interval_s=0)),
            True,
            Verdict.REPORTING_ONLY,
            "driver",
            '"stats_polling_interval_s": 1',
        ),
        (
            fc(fc_balloon(stats_polling_interval_s=0, free_page_reporting=False)),
            True,
            Verdict.MONITOR_ONLY,
            "driver",
            '"stats_polling_interval_s": 1',
        ),
    ],
)
@pytest.mark.slow
def test_each_cause_has_its_verdict_and_its_fix(
    tmp_path: Path, make: Make, has_driver: bool, verdict: Verdict, problem: str | None, fix: str
) -> None:
    found = examined(tmp_path, make, has_driver=has_driver)
    jsonschema.validate(examination_document(found), SCHEMA)
    (report,) = found.vms
    assert report.verdict is verdict, report.findings
    bad = [f for f in report.findings if f.grade is Grade.PROBLEM]
    assert [f.check for f in bad] == ([] if problem is None else [problem])
    if bad:
        assert fix in (bad[0].fix or "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "check", "grade"),
    [(ch(), "driver", Grade.PROBLEM), (fc(fc_balloon()), "statistics", Grade.UNKNOWN)],
    ids=["ch", "fc"],
)
def test_a_driver_that_has_fallen_silent_is_not_called_good(
    tmp_path: Path, make: Make, check: str, grade: Grade
) -> None:
    (report,) = examined(tmp_path, make, frozen_s=6.0).vms
    assert check in {f.check for f in report.findings if f.grade is grade}, report.findings
    assert "driver" not in {f.check for f in report.findings if f.grade is Grade.GOOD}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ch", "fc"])
@pytest.mark.parametrize("is_listened_at", [True, False])
def test_it_says_whether_anybody_listens_for_an_agent_by_vsock(
    tmp_path: Path, kind: str, is_listened_at: bool
) -> None:
    vsock = tmp_path / "v"
    door = agent_door(vsock)

    def make(world: World) -> CloudHypervisorApi | FirecrackerApi:
        if kind == "ch":
            config = VmConfig(size_bytes=512 * MIB, vsock=str(vsock), deflate_on_oom=True)
            return CloudHypervisorApi(world, "vm", config)
        machine = MicroVm(mem_size_mib=512, balloon=fc_balloon(), vsock=str(vsock))
        return FirecrackerApi(world, "vm", machine)

    with socket.socket(socket.AF_UNIX) as listening:
        if is_listened_at:
            listening.bind(str(door))
            listening.listen(1)
        (report,) = examined(tmp_path, make).vms
    (finding,) = [f for f in report.findings if f.check == "agent"]
    assert finding.grade is (Grade.GOOD if is_listened_at else Grade.ADVICE)
    assert str(door) in finding.says


def test_nobody_behind_a_socket_is_a_no(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    path = tmp_path / "gone.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
    found = asyncio.run(examine(Places(firecracker=[str(path)]), root=tmp_path))
    assert [vm.verdict for vm in found.vms] == [Verdict.NO]


def process(root: Path, pid: int, *arguments: str, jail: str = "/") -> None:
    directory = root / "proc" / str(pid)
    directory.mkdir(parents=True)
    (directory / "cmdline").write_text("\0".join(arguments) + "\0")
    (directory / "cwd").symlink_to("/srv")
    (directory / "root").symlink_to(jail)


def test_their_processes_are_found_with_the_sockets_of_their_apis(tmp_path: Path) -> None:
    process(tmp_path, 3, "/usr/bin/cloud-hypervisor", "--api-socket", "path=/run/a.sock")
    process(tmp_path, 4, "cloud-hypervisor", "--api-socket=b.sock", "--cpus", "boot=1")
    process(tmp_path, 5, "/firecracker", "--id", "c9", "--api-sock", "/run/c.sock", jail="/jail/c9")
    process(tmp_path, 6, "firecracker")
    process(tmp_path, 7, "cloud-hypervisor", "--cpus", "boot=1")  # it has no API
    found = sorted(
        (pid.name, kind, str(at), name) for kind, pid, at, name in api_processes(tmp_path)
    )
    assert found == [
        ("3", "cloud-hypervisor", "/run/a.sock", "a"),
        ("4", "cloud-hypervisor", "/srv/b.sock", "b"),
        ("5", "firecracker", f"{tmp_path}/proc/5/root/run/c.sock", "c9"),
        ("6", "firecracker", "/run/firecracker.socket", "firecracker"),
    ]
