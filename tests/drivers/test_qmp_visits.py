"""A monitor that others use is visited: they get through, and nothing is lost by that."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from aerostat.drivers.qmp import QmpDriver, QmpSettings
from aerostat.host.proxmox import custody_of
from aerostat.model.events import Event, LifecycleChanged, LifecycleKind, PressurePushed
from aerostat.model.guest import GuestId, RunState
from aerostat.model.limits import DeclaredLimits
from aerostat.ports.custody import Custody
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.errors import DriverRefusedError, DriverUnavailableError
from aerostat.sim.guest_state import Load
from aerostat.sim.qemu import Machines
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB
from deadlines import PATIENCE_S
from qemu_process import Bystander, Fleet, Session

ADA = GuestId("101")
FAST = QmpSettings(
    connect_deadline_s=5.0,
    command_deadline_s=2.0,
    rescan_s=0.05,
    visit_every_s=0.4,
    visit_again_s=0.2,
    visit_overdue_s=1.5,
)


def played(
    scenario: Callable[[World, HypervisorDriver, Path], Awaitable[None]],
    at: Path,
    custody: Custody | None = None,
) -> list[Event]:
    """One simulated VM behind a monitor like Proxmox's, on virtual time; returns what was told."""
    events: list[Event] = []

    async def whole() -> None:
        directory = at / "qemu-server"
        directory.mkdir()
        world = World()
        living = asyncio.create_task(world.run())
        world.add(GuestSpec(name="web", load=Load(hot_bytes=80 * MIB)))
        await asyncio.sleep(2)
        async with Machines(world, directory) as machines:
            clock = SimClock(asyncio.get_running_loop())
            driver = QmpDriver([machines.pattern], clock=clock, custody_of=lambda _pid: custody)
            await driver.open(events.append)
            await scenario(world, driver, directory / "web.qmp")
            await driver.close()
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)

    run_simulated(whole())
    return events


async def only_guest(driver: HypervisorDriver) -> GuestId:
    (guest,) = await driver.list_guests()
    return guest


def test_a_client_that_holds_the_monitor_costs_figures_and_then_reach(tmp_path: Path) -> None:
    """The rounds meanwhile simply have no new figures; nothing is sent, and all goes on after."""

    async def scenario(_world: World, driver: HypervisorDriver, monitor: Path) -> None:
        guest = await only_guest(driver)
        await asyncio.sleep(5)
        async with Bystander(monitor):
            await asyncio.sleep(4)  # a visit was due twice
            held = await driver.read_guest(guest)
            assert held.run_state is RunState.RUNNING
            assert held.statistics is not None
            assert held.statistics.age_s > 3
            with pytest.raises(DriverUnavailableError, match="another client"):
                await driver.set_target(guest, target_bytes=300 * MIB)
            await asyncio.sleep(4)
            lost = await driver.read_guest(guest)
            assert lost.run_state is RunState.UNREACHABLE
            assert "another client holds its monitor" in (lost.trouble or "")
        await asyncio.sleep(1)  # our place in the queue was kept: no visit has to come due
        found = await driver.read_guest(guest)
        assert found.run_state is RunState.RUNNING
        assert found.statistics is not None
        assert found.statistics.age_s < 3
        assert found.actual_bytes == found.max_bytes, "what could not be sent is not sent later"

    played(scenario, tmp_path)


def test_it_is_asked_every_two_seconds_and_every_second_while_it_moves(tmp_path: Path) -> None:
    async def samples(driver: HypervisorDriver, guest: GuestId, span_s: int) -> int:
        seen = set()
        for _ in range(span_s * 10):
            statistics = (await driver.read_guest(guest)).statistics
            assert statistics is not None
            seen.add(statistics.sampled_wall_s)
            await asyncio.sleep(0.1)
        return len(seen)

    async def scenario(_world: World, driver: HypervisorDriver, _monitor: Path) -> None:
        guest = await only_guest(driver)
        await asyncio.sleep(5)
        assert 4 <= await samples(driver, guest, 10) <= 7
        await driver.set_target(guest, target_bytes=300 * MIB)
        assert 8 <= await samples(driver, guest, 10) <= 11

    played(scenario, tmp_path)


def test_a_vm_of_proxmox_s_own_balancer_is_read_and_not_moved(tmp_path: Path) -> None:
    custody = custody_of("101", "memory: 4096\nballoon: 1024\n")

    async def scenario(world: World, driver: HypervisorDriver, _monitor: Path) -> None:
        guest = await only_guest(driver)
        read = await driver.read_guest(guest)
        assert (read.run_state, read.number) == (RunState.RUNNING, "101")
        assert read.declared == DeclaredLimits(is_managed=False)
        assert "qm set 101 --shares 0" in (read.trouble or "")
        with pytest.raises(DriverRefusedError, match="Proxmox balances it"):
            await driver.set_target(guest, target_bytes=300 * MIB)
        await asyncio.sleep(5)
        assert world.guest("web").actual_bytes == read.max_bytes

    played(scenario, tmp_path, custody)


def test_an_agent_is_heard_between_two_visits(tmp_path: Path) -> None:
    """Its socket is beside Proxmox's monitor, and needs no visit."""
    cry = {"aerostat": 1, "kind": "pressure", "trigger": "some", "uptime_s": 5.0, "free_bytes": 0}

    async def scenario(_world: World, driver: HypervisorDriver, monitor: Path) -> None:
        connected: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        server = await asyncio.start_unix_server(
            lambda _, writer: connected.put_nowait(writer), monitor.with_suffix(".agent")
        )
        writer = await connected.get()
        async with Bystander(monitor):  # nobody is let in meanwhile
            writer.write(json.dumps(cry).encode() + b"\n")
            await asyncio.sleep(0.5)
            assert (await driver.read_guest(await only_guest(driver))).trouble is None
        writer.close()
        server.close()

    told = played(scenario, tmp_path)
    assert [event for event in told if isinstance(event, PressurePushed)]


@pytest.fixture
def shared(tmp_path: Path, fleet: Fleet) -> Fleet:
    """Real QEMUs whose monitors are where Proxmox has them."""
    assert fleet.directory == tmp_path
    fleet.directory = tmp_path / "qemu-server"
    fleet.directory.mkdir()
    return fleet


def test_others_get_through_to_a_real_qemu_all_the_while(shared: Fleet) -> None:
    shared.start("101")

    async def scenario() -> None:
        async with Session(shared.glob, settings=FAST) as session:
            waits_s = []
            for _ in range(30):
                began_s = time.monotonic()
                async with Bystander(shared.directory / "101.qmp") as qm:
                    await qm.execute("query-status")
                waits_s.append(time.monotonic() - began_s)
                read = await session.driver.read_guest(ADA)
                assert (read.run_state, read.trouble) == (RunState.RUNNING, None)
                await asyncio.sleep(0.05)
            assert sorted(waits_s)[15] < 1.0, f"the median of {waits_s}"
            told = [e.kind for e in session.events if isinstance(e, LifecycleChanged)]
            assert told == [LifecycleKind.APPEARED]

    asyncio.run(scenario())


def test_targets_are_set_and_pauses_seen(shared: Fleet) -> None:
    """Without a guest system nothing moves; that QEMU took the target shows by its absence of
    an error, and that the monitor is free again by whoever asks next."""
    shared.start("101")

    async def scenario() -> None:
        async with Session(shared.glob, settings=FAST) as session:
            read = await session.driver.read_guest(ADA)
            assert (read.max_bytes, read.actual_bytes) == (128 * MIB, 128 * MIB)
            await session.driver.set_target(ADA, target_bytes=100 * MIB)
            async with Bystander(shared.directory / "101.qmp") as qm:
                await qm.execute("stop")
            await session.until_state("101", RunState.PAUSED)
            told = [e.kind for e in session.events if isinstance(e, LifecycleChanged)]
            assert told == [LifecycleKind.APPEARED, LifecycleKind.PAUSED]

    asyncio.run(scenario())


def test_a_vm_that_hangs_and_one_that_ends(shared: Fleet) -> None:
    qemu = shared.start("101")

    async def scenario() -> None:
        async with Session(shared.glob, settings=FAST) as session:
            await session.until_listed("101")
            qemu.freeze()
            lost = await session.until_state("101", RunState.UNREACHABLE)
            assert "or QEMU hangs" in (lost.trouble or "")
            qemu.thaw()
            await session.until_state("101", RunState.RUNNING)
            qemu.kill()
            await session.until_listed()

    asyncio.run(scenario())


def test_another_vm_at_the_same_socket_is_another_vm(shared: Fleet) -> None:
    """What was meant for the one that ended is not sent to it."""
    first = shared.start("101", is_named=False)

    async def scenario() -> None:
        async with Session(shared.glob, settings=FAST) as session:
            await session.until_listed("101")
            first.kill()
            shared.start("101", is_named=False)
            give_up_s = time.monotonic() + PATIENCE_S
            appeared = LifecycleKind.APPEARED, LifecycleKind.DISAPPEARED, LifecycleKind.APPEARED
            while True:
                told = [e.kind for e in session.events if isinstance(e, LifecycleChanged)]
                if tuple(told) == appeared:
                    break
                assert time.monotonic() < give_up_s, told
                await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_a_period_of_somebody_else_s_is_put_back(shared: Fleet) -> None:
    monitor = shared.directory / "101.qmp"
    where = {"path": "/machine/peripheral/b0", "property": "guest-stats-polling-interval"}
    shared.start("101")

    async def scenario() -> None:
        async with Bystander(monitor) as qm:
            await qm.execute("qom-set", **where, value=10)
        async with Session(shared.glob, settings=FAST), Bystander(monitor) as qm:
            assert await qm.execute("qom-get", **where) == 1
        async with Bystander(monitor) as qm:
            assert await qm.execute("qom-get", **where) == 10

    asyncio.run(scenario())
