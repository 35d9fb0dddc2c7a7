"""The host's end of hybrid vsock: who calls is heard within bounds, and nobody's files are lost."""

import asyncio
import os
import socket
import stat
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from aerostat.control.loop import Loop
from aerostat.drivers.agent import AgentDoor, HeardAgent, agent_door, seen_from_here
from aerostat.drivers.cloud_hypervisor import CloudHypervisorDriver
from aerostat.drivers.firecracker import FirecrackerDriver
from aerostat.drivers.sockets import SocketSettings
from aerostat.engine.params import EngineParams, HostParams
from aerostat.model.events import PressurePushed, PressureTrigger
from aerostat.model.guest import GuestId
from aerostat.model.limits import Amount
from aerostat.model.modes import Mode
from aerostat.ports.journal import RoundRecord
from aerostat.sim.cloud_hypervisor.api import CloudHypervisorApi, VmConfig
from aerostat.sim.firecracker.api import Balloon, FirecrackerApi, MicroVm
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.http_api.server import ApiServer
from aerostat.sim.http_api.vsock import VsockGuest
from aerostat.sim.physics import GuestBuild
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB
from qemu_process import SystemClock

PATIENCE_S = 30.0
MAX_BYTES = 512 * MIB
CRY = {"kind": "pressure", "trigger": "some", "free_bytes": 4 * MIB}


class Heard:
    """A door, and what came through it."""

    def __init__(self, vsock: Path) -> None:
        self.events: list[PressurePushed] = []
        self.heard = HeardAgent(GuestId("a"), clock=SystemClock(), tell=self.events.append)
        self.door = AgentDoor(vsock, self.heard, clock=SystemClock())

    def troubles(self) -> tuple[str, ...]:
        return self.heard.beside(None, max_bytes=None).troubles

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, (self.events, self.troubles())
            await asyncio.sleep(0.01)


def play(vsock: Path, scenario: Callable[[Heard, VsockGuest], Awaitable[None]]) -> None:
    async def main() -> None:
        async with VsockGuest(vsock) as guest:
            heard = Heard(vsock)
            keeping = asyncio.create_task(heard.door.keep())
            try:
                await scenario(heard, guest)
            finally:
                keeping.cancel()
                with suppress(asyncio.CancelledError):
                    await keeping
        assert not agent_door(vsock).exists(), "nothing is left behind"

    asyncio.run(main())


def test_pressure_comes_through_at_once_and_nonsense_is_told(tmp_path: Path) -> None:
    async def scenario(heard: Heard, guest: VsockGuest) -> None:
        await guest.call()
        await guest.send(b"what?\n")
        await guest.say(**CRY)
        await heard.until(lambda: len(heard.events) == 1)
        assert heard.events[0].free_bytes == 4 * MIB
        assert heard.troubles() == ("its agent: a line is not JSON",)

    play(tmp_path / "v", scenario)


def test_an_agent_that_is_started_anew_is_heard_again(tmp_path: Path) -> None:
    async def scenario(heard: Heard, guest: VsockGuest) -> None:
        await guest.call()
        await guest.say(**CRY)
        await heard.until(lambda: len(heard.events) == 1)
        await guest.hang_up()
        await guest.call()
        await guest.say(**CRY)
        await heard.until(lambda: len(heard.events) == 2)

    play(tmp_path / "v", scenario)


def test_a_guest_that_floods_is_made_to_wait(tmp_path: Path) -> None:
    async def scenario(heard: Heard, guest: VsockGuest) -> None:
        await guest.call()
        flood = asyncio.create_task(guest.send(b"{}\n" * 1_000_000))
        await heard.until(lambda: any("more lines" in words for words in heard.troubles()))
        assert not flood.done(), "what it writes piles up on its own side"
        flood.cancel()
        with suppress(asyncio.CancelledError):
            await flood

    play(tmp_path / "v", scenario)


def test_who_calls_again_and_again_is_taken_in_seldom(tmp_path: Path) -> None:
    """Not even by hanging up does a guest get more lines a second through than it should."""

    async def scenario(heard: Heard, guest: VsockGuest) -> None:
        began_s = time.monotonic()
        for _ in range(3):
            await guest.call()
            await guest.send(b"nonsense\n")
            await guest.hang_up()
        await guest.call()
        await guest.say(**CRY)
        await heard.until(lambda: bool(heard.events))
        # Each of the three before it was heard, one a second.
        assert time.monotonic() - began_s >= 3.0

    play(tmp_path / "v", scenario)


def test_the_socket_is_for_the_vms_process_alone(tmp_path: Path) -> None:
    async def scenario(heard: Heard, guest: VsockGuest) -> None:
        await heard.until(lambda: agent_door(guest.path).exists())
        found = agent_door(guest.path).stat()
        assert stat.S_IMODE(found.st_mode) & 0o077 == 0
        assert (found.st_uid, found.st_gid) == (guest.path.stat().st_uid, guest.path.stat().st_gid)

    play(tmp_path / "v", scenario)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_vm_that_is_another_users_may_call(tmp_path: Path) -> None:
    async def main() -> None:
        async with VsockGuest(tmp_path / "w") as guest:
            os.chown(guest.path, 1234, 4321)
            heard = Heard(guest.path)
            keeping = asyncio.create_task(heard.door.keep())
            await heard.until(
                lambda: (
                    agent_door(guest.path).exists() and agent_door(guest.path).stat().st_uid == 1234
                )
            )
            assert agent_door(guest.path).stat().st_gid == 4321
            keeping.cancel()

    asyncio.run(main())


def test_what_a_daemon_left_that_was_killed_is_cleared_away(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(agent_door(tmp_path / "v")))

    async def scenario(heard: Heard, guest: VsockGuest) -> None:
        await guest.call()
        await guest.say(**CRY)
        await heard.until(lambda: len(heard.events) == 1)

    play(tmp_path / "v", scenario)


def test_another_programs_socket_and_any_other_file_stay(tmp_path: Path) -> None:
    async def main() -> None:
        async with VsockGuest(tmp_path / "v") as guest:
            with socket.socket(socket.AF_UNIX) as other:
                other.bind(str(agent_door(guest.path)))
                other.listen(1)
                heard = Heard(guest.path)
                keeping = asyncio.create_task(heard.door.keep())
                await heard.until(lambda: any("another program" in w for w in heard.troubles()))
                assert agent_door(guest.path).exists()
                keeping.cancel()
        async with VsockGuest(tmp_path / "w") as guest:
            agent_door(guest.path).write_text("mine")
            heard = Heard(guest.path)
            keeping = asyncio.create_task(heard.door.keep())
            await heard.until(lambda: any("no socket" in words for words in heard.troubles()))
            assert agent_door(guest.path).read_text() == "mine"
            keeping.cancel()

    asyncio.run(main())


def test_a_path_is_taken_as_the_vms_process_means_it() -> None:
    assert seen_from_here(Path("/run/v"), None) == Path("/run/v")
    assert seen_from_here(Path("/run/v"), os.getpid()) == Path("/run/v")
    assert seen_from_here(Path("v"), os.getpid()) == Path.cwd() / "v"


class Rounds:
    """A journal that keeps everything."""

    def __init__(self) -> None:
        self.records: list[RoundRecord] = []
        self._came = asyncio.Event()

    def record(self, record: RoundRecord) -> None:
        self.records.append(record)
        self._came.set()

    async def next(self) -> None:
        """Wait for another round."""
        self._came.clear()
        await self._came.wait()


def cloud_hypervisor(world: World, vsock: str) -> CloudHypervisorApi:
    config = VmConfig(size_bytes=MAX_BYTES, deflate_on_oom=True, vsock=vsock)
    return CloudHypervisorApi(world, "ada", config)


def firecracker(world: World, vsock: str) -> FirecrackerApi:
    balloon = Balloon(stats_polling_interval_s=1, deflate_on_oom=True)
    return FirecrackerApi(world, "ada", MicroVm(mem_size_mib=512, balloon=balloon, vsock=vsock))


@pytest.mark.parametrize("make", [cloud_hypervisor, firecracker])
def test_pushed_pressure_wakes_the_loop_and_brings_memory(
    tmp_path: Path, make: Callable[[World, str], CloudHypervisorApi | FirecrackerApi]
) -> None:
    """On both stand-ins, on virtual time: the next round begins at once, not at its time."""

    async def main() -> None:
        world = World()
        vsock = tmp_path / "v"
        build = GuestBuild(max_bytes=MAX_BYTES)
        world.add(GuestSpec(name="ada", build=build, load=Load(hot_bytes=80 * MIB)))
        api = make(world, str(vsock))
        world.guest("ada").set_target(288 * MIB)
        kind = FirecrackerDriver if isinstance(api, FirecrackerApi) else CloudHypervisorDriver
        clock = SimClock(asyncio.get_running_loop())
        reserve = Amount(size_bytes=160 * MIB)
        host = HostParams(budget_bytes=448 * MIB, burst_reserve=reserve, burst_reserve_min=reserve)
        rounds = Rounds()
        loop = Loop(
            driver=kind([str(tmp_path / "*.sock")], clock=clock, settings=SocketSettings()),
            sensor=SimulatedSensor(world.host),
            clock=clock,
            params=EngineParams(host=host, round_s=5.0),
            mode=Mode.ENFORCE,
            journal=rounds,
        )
        server = ApiServer(tmp_path / "api.sock", api.answer, api.faults)
        await server.open()
        async with VsockGuest(vsock) as agent, asyncio.TaskGroup() as tasks:
            living = tasks.create_task(world.run())
            await asyncio.sleep(5)
            balancing = tasks.create_task(loop.run())
            await agent.call()
            figures = {"total_bytes": 470 * MIB, "some_total_us": 100, "swap_total_bytes": 0}
            await agent.say(kind="figures", triggers=2, **figures, swap_free_bytes=0)
            await asyncio.sleep(7)
            last = rounds.records[-1]
            (before,) = last.snapshot.guests
            assert before.actual_bytes == 288 * MIB
            assert before.pressure is not None
            assert before.pressure.some_total_s == pytest.approx(1e-4)
            assert before.pressure.swap_total_bytes == 0
            await rounds.next()  # so that the one after it is not due for long
            said_s = clock.now_s()
            await agent.say(**CRY)
            await rounds.next()
            assert clock.now_s() - said_s < 0.5, "the next round was due in 5 s"
            pushed = [e for e in rounds.records[-1].events if isinstance(e, PressurePushed)]
            assert [event.trigger for event in pushed] == [PressureTrigger.SOME]
            (change,) = rounds.records[-1].plan.changes
            assert change.target_bytes > 288 * MIB
            loop.request_stop()
            await balancing
            living.cancel()
        await server.close()

    run_simulated(main())
