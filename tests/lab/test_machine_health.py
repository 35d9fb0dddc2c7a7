"""What has gone wrong with a machine is said, and never taken for slowness."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage
from aerostat.lab.machine import (
    HealthState,
    Machine,
    MachineError,
    MachineSpec,
    WorkloadSpec,
    clean_stale,
    find_hierarchy,
)
from aerostat.units import MIB
from lab.patience import BOOT_S, next_sample, until_health

pytestmark = [pytest.mark.lab, pytest.mark.slow]

SMALL = MachineSpec(name="ada", ram_bytes=256 * MIB, swap="none")


def test_a_workload_out_of_memory_is_reported_as_killed(image: GuestImage, run_dir: Path) -> None:
    spec = MachineSpec(
        name="ada",
        ram_bytes=192 * MIB,
        swap="none",
        workload=WorkloadSpec(hot_bytes=250 * MIB, rate=8000),
    )

    async def scenario() -> None:
        async with Machine.start(spec, image, run_dir) as machine:
            await machine.wait_booted(BOOT_S)
            await until_health(machine, HealthState.WORKLOAD_KILLED)
            assert "SIGKILL" in machine.health.words
            assert not machine.health.is_well
            assert await machine.monitor.status() == "running"  # the guest lives

    asyncio.run(scenario())


@pytest.mark.parametrize("panic", ["panic=-1", "panic=0"])
def test_a_panic_is_reported_with_the_kernels_words(
    image: GuestImage, run_dir: Path, panic: str
) -> None:
    """Whether the kernel then reboots, which ends QEMU, or stands still."""
    spec = MachineSpec(
        name="ada", ram_bytes=256 * MIB, swap="none", kernel_args=("crash_after=1", panic)
    )

    async def scenario() -> None:
        async with Machine.start(spec, image, run_dir, hung_after_s=3) as machine:
            await machine.wait_booted(BOOT_S)
            passed = await until_health(machine, HealthState.PANICKED)
            assert HealthState.HUNG not in passed
            assert "sysrq triggered crash" in machine.health.words

    asyncio.run(scenario())


def test_a_panic_while_booting_is_reported(image: GuestImage, run_dir: Path) -> None:
    spec = MachineSpec(
        name="ada", ram_bytes=256 * MIB, swap="none", kernel_args=("rdinit=/nothing", "root=none")
    )

    async def scenario() -> None:
        async with Machine.start(spec, image, run_dir) as machine:
            with pytest.raises(MachineError, match="Kernel panic"):
                await machine.wait_booted(BOOT_S)

    asyncio.run(scenario())


def test_a_killed_qemu_is_reported(image: GuestImage, run_dir: Path) -> None:
    async def scenario() -> None:
        async with Machine.start(SMALL, image, run_dir) as machine:
            await machine.wait_booted(BOOT_S)
            os.kill(machine.pid, signal.SIGKILL)
            await until_health(machine, HealthState.KILLED)
            assert "SIGKILL" in machine.health.words
            with pytest.raises(MachineError, match="its QEMU is gone"):
                machine.send("rate 1")
            assert [sample async for sample in machine.samples()][-1:] in ([], [machine.latest])

    asyncio.run(scenario())


def test_a_stopped_qemu_hangs_until_it_goes_on(image: GuestImage, run_dir: Path) -> None:
    async def scenario() -> None:
        async with Machine.start(SMALL, image, run_dir, hung_after_s=2) as machine:
            await machine.wait_booted(BOOT_S)
            os.kill(machine.pid, signal.SIGSTOP)
            await until_health(machine, HealthState.HUNG)
            assert "stopped by a signal" in machine.health.words
            os.kill(machine.pid, signal.SIGCONT)
            await until_health(machine, HealthState.RUNNING)
            os.kill(machine.pid, signal.SIGSTOP)
            await until_health(machine, HealthState.HUNG)
            stop_began_s = time.monotonic()
        assert time.monotonic() - stop_began_s < 2, "a stopped QEMU is ended without waiting"

    asyncio.run(scenario())


def test_a_paused_machine_is_not_hung(image: GuestImage, run_dir: Path) -> None:
    async def scenario() -> None:
        async with Machine.start(SMALL, image, run_dir, hung_after_s=2) as machine:
            await machine.wait_booted(BOOT_S)
            before = await next_sample(machine, lambda _: True)
            await machine.monitor.execute("stop")
            passed = await until_health(machine, HealthState.PAUSED)
            assert HealthState.HUNG not in passed
            await machine.monitor.execute("cont")
            await until_health(machine, HealthState.RUNNING)
            after = await next_sample(machine, lambda _: True)
            # Its clock stood still: nothing was due meanwhile.
            assert after.uptime_s - before.uptime_s < 2

    asyncio.run(scenario())


def test_machines_die_with_the_lab(image: GuestImage, run_dir: Path) -> None:
    """Even when the lab is killed and can clean up nothing; the next one removes its cgroups."""
    program = textwrap.dedent(f"""
        import asyncio
        from pathlib import Path
        from aerostat.lab.image import GuestImage
        from aerostat.lab.machine import Machine, MachineSpec

        image = GuestImage(
            kernel=Path({str(image.kernel)!r}),
            initramfs=Path({str(image.initramfs)!r}),
            digest="", kernel_version="", has_zram=False,
        )
        spec = MachineSpec(name="ada", swap="none")

        async def main():
            async with Machine.start(spec, image, Path({str(run_dir)!r})) as machine:
                print(machine.pid, machine.cgroup and machine.cgroup.path, flush=True)
                await asyncio.sleep(1000)

        asyncio.run(main())
    """)
    lab = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert lab.stdout is not None
        pid_text, cgroup_text = lab.stdout.readline().split()
        os.kill(int(pid_text), 0)
    finally:
        lab.kill()
        lab.communicate()
    deadline_s = time.monotonic() + 10
    while Path(f"/proc/{pid_text}").exists():
        assert time.monotonic() < deadline_s, f"QEMU {pid_text} outlived the lab"
        time.sleep(0.02)
    hierarchy = find_hierarchy()
    if not isinstance(hierarchy, str):
        assert Path(cgroup_text).exists()
        clean_stale(hierarchy)
        assert not Path(cgroup_text).parent.exists()
