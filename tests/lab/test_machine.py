"""Machines boot, work and end as ordered, and leave nothing behind."""

import asyncio
import dataclasses
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage
from aerostat.lab.machine import HealthState, Machine, MachineError, MachineSpec, WorkloadSpec
from aerostat.lab.machine.spec import SwapKind
from aerostat.units import MIB
from lab.patience import BOOT_S, next_sample, until_health

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]


@asynccontextmanager
async def booted(spec: MachineSpec, image: GuestImage, run_dir: Path) -> AsyncIterator[Machine]:
    async with Machine.start(spec, image, run_dir) as machine:
        await machine.wait_booted(BOOT_S)
        yield machine


def test_a_guest_reports_every_second_and_follows_orders(image: GuestImage, run_dir: Path) -> None:
    spec = MachineSpec(name="ada", workload=WorkloadSpec(hot_bytes=32 * MIB, rate=1000))

    async def scenario() -> None:
        async with booted(spec, image, run_dir) as machine:
            first = await next_sample(machine, lambda sample: sample.served > 900)
            second = await next_sample(machine, lambda _: True)
            assert second.guest == "ada"
            # The guest's clock ran on by one second (its reports are not late by a whole one).
            assert second.uptime_s - first.uptime_s == pytest.approx(1, abs=0.5)
            assert second.offered == pytest.approx(
                1000 * (second.uptime_s - first.uptime_s), abs=60
            )
            assert sum(second.latency_histogram.values()) == pytest.approx(second.served, abs=20)
            assert 440 * MIB < second.total_bytes < 512 * MIB
            assert 0 < second.free_bytes < second.total_bytes
            assert 0 < second.available_bytes < second.total_bytes
            assert second.swap_total_bytes == pytest.approx(512 * MIB, rel=0.01)
            assert second.pressure_some_s >= second.pressure_full_s >= 0

            small_bytes = machine.cgroup_usage_bytes()
            machine.send("rate 4000")
            machine.send(f"hot {250 * MIB}")
            grown = await next_sample(machine, lambda sample: sample.heap_bytes > 200 * MIB)
            assert grown.hot_bytes == 250 * MIB
            grown_bytes = machine.cgroup_usage_bytes()
            if small_bytes is not None:  # without a memory cgroup the host has no exact figure
                assert grown_bytes is not None
                assert grown_bytes - small_bytes > 150 * MIB

            machine.send("keep cold")
            machine.send(f"hot {100 * MIB}")
            kept = await next_sample(machine, lambda sample: sample.hot_bytes == 100 * MIB)
            assert kept.heap_bytes >= grown.heap_bytes
            machine.send("keep release")
            machine.send(f"hot {40 * MIB}")
            freed = await next_sample(machine, lambda sample: sample.heap_bytes <= 40 * MIB)
            assert freed.available_bytes > kept.available_bytes + 150 * MIB
            assert freed.checksum_errors == 0
            assert machine.garbage_lines == 0
            assert machine.health.state == HealthState.RUNNING

            machine.send("quit")
            await until_health(machine, HealthState.WORKLOAD_ENDED)

    asyncio.run(scenario())


@pytest.mark.parametrize("swap", ["none", "zram"])
def test_a_guest_has_the_swap_that_was_asked_for(
    image: GuestImage, run_dir: Path, swap: SwapKind
) -> None:
    if swap == "zram" and not image.has_zram:
        pytest.skip(f"kernel {image.kernel_version} of this distribution comes without zram")
    spec = MachineSpec(name="ada", ram_bytes=256 * MIB, swap=swap, swap_bytes=64 * MIB)

    async def scenario() -> None:
        async with booted(spec, image, run_dir) as machine:
            sample = await next_sample(machine, lambda _: True)
            wanted_bytes = 64 * MIB if swap == "zram" else 0
            assert sample.swap_total_bytes == pytest.approx(wanted_bytes, rel=0.01)

    asyncio.run(scenario())


def test_zram_on_a_kernel_without_it_is_refused_in_words(image: GuestImage, run_dir: Path) -> None:
    bare = dataclasses.replace(image, has_zram=False)

    async def scenario() -> None:
        async with Machine.start(MachineSpec(name="ada", swap="zram"), bare, run_dir):
            pytest.fail("it cannot have started")

    with pytest.raises(MachineError, match='use swap "vda"'):
        asyncio.run(scenario())
    assert list(run_dir.iterdir()) == []


def test_memory_that_was_paged_out_and_in_again_is_intact(image: GuestImage, run_dir: Path) -> None:
    """The balloon drives the hot set into swap: every page that comes back is verified."""
    spec = MachineSpec(name="ada", workload=WorkloadSpec(hot_bytes=200 * MIB, rate=4000))

    async def scenario() -> None:
        async with booted(spec, image, run_dir) as machine:
            await next_sample(machine, lambda sample: sample.heap_bytes > 150 * MIB)
            await machine.monitor.execute("balloon", {"value": 200 * MIB})
            squeezed = await next_sample(machine, lambda sample: sample.swap_in_bytes > 20 * MIB)
            assert squeezed.swap_out_bytes > 20 * MIB
            assert squeezed.checksum_errors == 0
            assert squeezed.pressure_some_s > 0
            assert machine.health.state == HealthState.RUNNING

    asyncio.run(scenario())


def test_a_late_driver_finds_the_target_that_was_set_before(
    image: GuestImage, run_dir: Path
) -> None:
    spec = MachineSpec(
        name="ada", ram_bytes=256 * MIB, swap="none", balloon_driver="late", balloon_after_s=2
    )

    async def actual_bytes(machine: Machine) -> int:
        answer = await machine.monitor.execute("query-balloon")
        assert isinstance(answer, dict)
        return int(answer["actual"])

    async def scenario() -> None:
        async with Machine.start(spec, image, run_dir) as machine:
            hello = await machine.wait_booted(BOOT_S)
            deadline_s = time.monotonic() + 30
            assert hello.balloon == "late"
            await machine.monitor.execute("balloon", {"value": 200 * MIB})
            assert await actual_bytes(machine) == 256 * MIB
            async for _sample in machine.samples():  # one a second
                if await actual_bytes(machine) <= 200 * MIB:
                    break
                assert time.monotonic() < deadline_s, "the driver has not taken up the target"

    asyncio.run(scenario())


def test_nothing_is_left_of_a_machine(image: GuestImage, run_dir: Path) -> None:
    async def scenario() -> tuple[int, Path | None]:
        async with booted(MachineSpec(name="ada"), image, run_dir) as machine:
            assert machine.files.qmp.exists()
            assert machine.files.swap.stat().st_blocks * 512 >= machine.spec.swap_bytes
            cgroup = machine.cgroup
            if cgroup is not None:
                assert cgroup.has(machine.pid)
            return machine.pid, None if cgroup is None else cgroup.path

    pid, cgroup = asyncio.run(scenario())
    assert list(run_dir.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    if cgroup is not None:
        assert not cgroup.exists()
        assert not cgroup.parent.exists()


def test_nothing_is_left_of_a_machine_that_cannot_start(image: GuestImage, run_dir: Path) -> None:
    spec = MachineSpec(name="ada", extra_args=("-device", "no-such-device"))

    async def scenario() -> None:
        async with Machine.start(spec, image, run_dir):
            pytest.fail("it cannot have started")

    with pytest.raises(MachineError, match="no-such-device"):
        asyncio.run(scenario())
    assert list(run_dir.iterdir()) == []


def test_a_second_machine_of_a_name_is_refused_and_does_no_harm(
    image: GuestImage, run_dir: Path
) -> None:
    async def scenario() -> None:
        async with booted(MachineSpec(name="ada"), image, run_dir) as first:
            before = [path for path in first.files.all() if path.exists()]
            with pytest.raises(MachineError, match="another machine of this name"):
                async with Machine.start(MachineSpec(name="ada"), image, run_dir):
                    pytest.fail("it cannot have started")
            assert before == [path for path in first.files.all() if path.exists()]
            assert await first.monitor.status() == "running"

    asyncio.run(scenario())


def test_an_error_in_the_block_comes_out_as_it_is(image: GuestImage, run_dir: Path) -> None:
    """Not wrapped in an exception group: callers catch what they know."""

    async def scenario() -> None:
        async with Machine.start(MachineSpec(name="ada"), image, run_dir):
            raise MachineError("from inside")

    with pytest.raises(MachineError, match="from inside"):
        asyncio.run(scenario())
    assert list(run_dir.iterdir()) == []


def test_a_boot_that_takes_too_long_is_an_error(image: GuestImage, run_dir: Path) -> None:
    async def scenario() -> None:
        async with Machine.start(MachineSpec(name="ada"), image, run_dir) as machine:
            await machine.wait_booted(0.2)

    with pytest.raises(MachineError, match=r"no hello within 0\.2 s"):
        asyncio.run(scenario())
