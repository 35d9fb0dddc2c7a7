"""What Cloud Hypervisor and Firecracker have of their own, beyond the contract of all drivers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.drivers.cloud_hypervisor import CloudHypervisorDriver
from aerostat.drivers.cloud_hypervisor.answers import parse_balloon_stats, parse_info
from aerostat.drivers.firecracker import FirecrackerDriver
from aerostat.drivers.firecracker.answers import (
    parse_balloon_bytes,
    parse_features,
    parse_figures,
    parse_hinting,
    parse_instance,
    parse_machine,
    parse_target_bytes,
    parse_vsock,
)
from aerostat.drivers.sockets import SocketDriver, SocketSettings
from aerostat.drivers.sockets.errors import AnswerViolationError
from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.figures import Absence
from aerostat.model.guest import GuestId, GuestSnapshot, Hinting, RunState
from aerostat.ports.errors import DriverRefusedError, DriverUnavailableError, OutcomeUnknownError
from aerostat.sim.cloud_hypervisor.api import CloudHypervisorApi, VmConfig, uuid_of
from aerostat.sim.faults import Faults
from aerostat.sim.firecracker.api import Balloon, FirecrackerApi, MicroVm
from aerostat.sim.guest_state import Load
from aerostat.sim.http_api.server import ApiServer
from aerostat.sim.http_api.wire import Answer, Request
from aerostat.sim.physics import GuestBuild
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import GIB, MIB

MAX_BYTES = 512 * MIB
Api = CloudHypervisorApi | FirecrackerApi
MakeApi = Callable[[World], Api]


class Stage:
    """One API of a test's making, and an open driver."""

    def __init__(self, world: World, api: Api, driver: SocketDriver, server: ApiServer) -> None:
        self.world = world
        self.api = api
        self.driver = driver
        self.server = server
        self.requests: list[Request] = []
        self.events: list[Event] = []
        self.says: dict[str, Answer] = {}  # to whatever path, instead of what it would say

    async def guest(self) -> GuestId:
        (guest,) = await self.driver.list_guests()
        return guest

    async def read(self) -> GuestSnapshot:
        return await self.driver.read_guest(await self.guest())

    def lifecycle(self) -> list[LifecycleKind]:
        return [e.kind for e in self.events if isinstance(e, LifecycleChanged)]

    def sent(self, method: str) -> list[tuple[str, object]]:
        return [(r.path, r.json()) for r in self.requests if r.method == method]


def play(
    directory: Path,
    make_api: MakeApi,
    scenario: Callable[[Stage], Awaitable[None]],
    *,
    settings: SocketSettings | None = None,
) -> Stage:
    """Play a scenario on virtual time; the guest is called ada."""

    async def main() -> Stage:
        world = World()
        api = make_api(world)
        driver_class: type[SocketDriver] = FirecrackerDriver
        if isinstance(api, CloudHypervisorApi):
            driver_class = CloudHypervisorDriver
        clock = SimClock(asyncio.get_running_loop())
        driver = driver_class(
            [str(directory / "*.sock")], clock=clock, settings=settings or SocketSettings()
        )
        stage: Stage

        def answer(request: Request) -> Answer:
            stage.requests.append(request)
            return stage.says.get(request.path) or api.answer(request)

        server = ApiServer(directory / "api.sock", answer, api.faults)
        stage = Stage(world, api, driver, server)
        await server.open()
        living = asyncio.create_task(world.run())
        await asyncio.sleep(3)
        await driver.open(stage.events.append)
        await scenario(stage)
        await driver.close()
        await server.close()
        living.cancel()
        return stage

    return run_simulated(main())


def ada(world: World, *, faults: Faults | None = None) -> None:
    build = GuestBuild(max_bytes=MAX_BYTES)
    guest = world.add(GuestSpec(name="ada", build=build, load=Load(hot_bytes=80 * MIB)))
    guest.faults = faults or Faults()


def cloud_hypervisor(**options: Any) -> MakeApi:
    """A VMM with a VM that runs."""

    def make(world: World) -> Api:
        ada(world)
        has_statistics = options.pop("has_statistics", True)
        config = VmConfig(size_bytes=MAX_BYTES, **options)
        return CloudHypervisorApi(world, "ada", config, has_statistics=has_statistics)

    return make


def firecracker(identifier: str = "anonymous-instance", **options: Any) -> MakeApi:
    """A Firecracker with a microVM that runs."""

    def make(world: World) -> Api:
        ada(world)
        balloon = Balloon(**{"stats_polling_interval_s": 1, **options})
        machine = MicroVm(mem_size_mib=512, balloon=balloon)
        return FirecrackerApi(world, "ada", machine, identifier=identifier)

    return make


async def nothing(_stage: Stage) -> None:
    """Open and close."""


@pytest.mark.parametrize("make_api", [cloud_hypervisor(), firecracker()], ids=["ch", "fc"])
def test_a_vm_that_hangs_costs_its_deadline_once_and_is_asked_nothing_more(
    tmp_path: Path, make_api: MakeApi
) -> None:
    """What is sent to it would all be carried out when it wakes."""

    async def scenario(stage: Stage) -> None:
        guest = await stage.guest()
        stage.world.guest("ada").faults.is_hung = True
        with pytest.raises(OutcomeUnknownError):
            await stage.driver.set_target(guest, target_bytes=300 * MIB)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for _ in range(20):
            assert (await stage.driver.read_guest(guest)).run_state is RunState.UNREACHABLE
            with pytest.raises(DriverUnavailableError, match="has not answered"):
                await stage.driver.set_target(guest, target_bytes=200 * MIB)
        assert loop.time() - began_s < 0.1
        stage.requests.clear()
        stage.world.guest("ada").faults.is_hung = False
        await asyncio.sleep(2)
        assert stage.world.guest("ada").target_bytes == 300 * MIB
        assert len(stage.sent("PUT") + stage.sent("PATCH")) == 1
        assert (await stage.read()).run_state is RunState.RUNNING

    play(tmp_path, make_api, scenario)


@pytest.mark.parametrize("make_api", [cloud_hypervisor(), firecracker()], ids=["ch", "fc"])
def test_a_balloon_that_moves_is_told_though_nobody_reads(
    tmp_path: Path, make_api: MakeApi
) -> None:
    """Deflate-on-oom shows in nothing else."""

    async def scenario(stage: Stage) -> None:
        guest = await stage.guest()
        await asyncio.sleep(3)
        stage.world.guest("ada").set_target(300 * MIB)
        await asyncio.sleep(4)
        assert BalloonMoved(guest=guest, actual_bytes=300 * MIB) in stage.events

    play(tmp_path, make_api, scenario)


def test_a_socket_that_speaks_something_else_is_shown_with_its_trouble(tmp_path: Path) -> None:
    async def main() -> None:
        async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b'{"QMP": {}}')
            await _reader.read()
            writer.close()

        server = await asyncio.start_unix_server(babble, tmp_path / "x.sock")
        clock = SimClock(asyncio.get_running_loop())
        driver = FirecrackerDriver(
            [str(tmp_path / "*.sock")], clock=clock, settings=SocketSettings()
        )
        await driver.open(lambda _event: None)
        (guest,) = await driver.list_guests()
        read = await driver.read_guest(guest)
        assert read.run_state is RunState.UNREACHABLE
        assert "its API took the connection" in (read.trouble or "")
        await driver.close()
        server.close()

    run_simulated(main())


class TestCloudHypervisor:
    """Its own ways."""

    def test_a_vmm_without_a_vm_is_no_guest_and_what_it_boots_appears(self, tmp_path: Path) -> None:
        def make(world: World) -> Api:
            return CloudHypervisorApi(world, "ada", None, boot=lambda _config: ada(world))

        def put(stage: Stage, path: str, body: bytes = b"") -> None:
            request = Request(method="PUT", path=f"/api/v1/{path}", body=body)
            assert stage.api.answer(request).status == 204

        async def scenario(stage: Stage) -> None:
            assert await stage.driver.list_guests() == ()
            put(stage, "vm.create", b'{"memory": {"size": 536870912}, "balloon": {"size": 0}}')
            await asyncio.sleep(3)
            assert await stage.driver.list_guests() == ()  # configured is not running
            put(stage, "vm.boot")
            await asyncio.sleep(3)
            assert (await stage.read()).max_bytes == MAX_BYTES
            put(stage, "vm.shutdown")
            await asyncio.sleep(3)
            assert await stage.driver.list_guests() == ()
            assert stage.lifecycle() == [LifecycleKind.APPEARED, LifecycleKind.DISAPPEARED]

        play(tmp_path, make, scenario)

    def test_an_error_of_500_that_means_no_vm_is_understood(self, tmp_path: Path) -> None:
        """Versions in the field say it in words only."""

        class Older(CloudHypervisorApi):
            def answer(self, request: Request) -> Answer:
                del request
                return Answer(status=500, body=["The VM info failed", "VM is not created"])

        async def scenario(stage: Stage) -> None:
            assert await stage.driver.list_guests() == ()

        play(tmp_path, lambda world: Older(world, "ada", None), scenario)

    def test_a_vm_is_known_by_its_uuid_and_named_by_its_socket(self, tmp_path: Path) -> None:
        async def scenario(stage: Stage) -> None:
            assert await stage.guest() == uuid_of("ada")
            assert (await stage.read()).name == "api"

        play(tmp_path, cloud_hypervisor(uuid=uuid_of("ada")), scenario)

    def test_a_version_without_statistics_is_moved_all_the_same_and_says_so(
        self, tmp_path: Path
    ) -> None:
        async def scenario(stage: Stage) -> None:
            guest = await stage.guest()
            for _ in range(2):
                read = await stage.read()
                assert (read.has_balloon, read.statistics) == (True, None)
                assert "vm.balloon-stats" in (read.trouble or "")
            await stage.driver.set_target(guest, target_bytes=300 * MIB)
            await asyncio.sleep(3)
            assert (await stage.read()).actual_bytes == 300 * MIB

        stage = play(tmp_path, cloud_hypervisor(has_statistics=False), scenario)
        asked = [path for path, _ in stage.sent("GET") if "balloon-stats" in path]
        assert len(asked) == 1, "what is not there is not asked for again and again"

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(status=500, body=["Error from API", "Timed out waiting for the guest"]),
            Answer(status=500, body="something else"),
            Answer(status=429),
            None,
            Answer(status=200, body=["no", "object"]),
        ],
        ids=["timed-out", "words", "busy", "never", "nonsense"],
    )
    def test_figures_that_cannot_be_read_grow_old_and_are_no_reset(
        self, tmp_path: Path, answer: Answer | None
    ) -> None:
        """The engine forgets what it has learned of a guest that was reset."""

        async def scenario(stage: Stage) -> None:
            before = (await stage.read()).statistics
            assert before is not None
            if answer is None:
                stage.world.guest("ada").faults.has_silent_statistics = True
            else:
                stage.says["/api/v1/vm.balloon-stats"] = answer
            await asyncio.sleep(8)
            began_s = asyncio.get_running_loop().time()
            read = await stage.read()
            assert asyncio.get_running_loop().time() - began_s < 0.4, "a round waits so long"
            assert read.run_state is RunState.RUNNING
            assert read.statistics is not None
            assert read.statistics.available_bytes is not None
            assert read.statistics.age_s >= 7
            assert "could not be read" in (read.trouble or "")
            stage.says.clear()
            stage.world.guest("ada").faults.has_silent_statistics = False
            await asyncio.sleep(2)
            read = await stage.read()
            assert read.trouble is None
            assert read.statistics is not None
            assert read.statistics.age_s < 3
            assert LifecycleKind.RESET not in stage.lifecycle()

        play(tmp_path, cloud_hypervisor(), scenario)

    @pytest.mark.parametrize("is_negotiated", [True, False])
    def test_a_driver_that_says_it_is_fresh_is_a_reset(
        self, tmp_path: Path, is_negotiated: bool
    ) -> None:
        fresh = Answer(status=200, body={"balloon_actual": 0, "last_update": 0, "stats": {}})
        words = ["Error from API", "Balloon statistics were not negotiated"]

        async def scenario(stage: Stage) -> None:
            await stage.read()
            refused = Answer(status=500, body=words)
            stage.says["/api/v1/vm.balloon-stats"] = fresh if is_negotiated else refused
            await asyncio.sleep(2)
            read = await stage.read()
            assert read.statistics is not None
            assert {figure.why for figure in read.statistics.absent} == {Absence.NEVER_SAMPLED}
            assert stage.lifecycle().count(LifecycleKind.RESET) == 1

        play(tmp_path, cloud_hypervisor(), scenario)

    def test_a_guest_is_asked_for_figures_once_a_second_and_never_while_paused(
        self, tmp_path: Path
    ) -> None:
        def asked(stage: Stage) -> int:
            return sum("balloon-stats" in path for path, _ in stage.sent("GET"))

        async def scenario(stage: Stage) -> None:
            for _ in range(40):
                await stage.read()
                await asyncio.sleep(0.25)
            assert 8 <= asked(stage) <= 12
            stage.world.pause("ada")
            await asyncio.sleep(2)
            count = asked(stage)
            await asyncio.sleep(5)
            read = await stage.read()
            assert asked(stage) == count
            assert read.run_state is RunState.PAUSED
            assert read.statistics is not None
            assert read.statistics.age_s >= 5
            stage.world.resume("ada")
            await asyncio.sleep(3)
            read = await stage.read()
            assert read.statistics is not None
            assert read.statistics.age_s < 3
            assert LifecycleKind.RESET not in stage.lifecycle()

        play(tmp_path, cloud_hypervisor(), scenario)

    def test_a_vm_without_a_balloon_says_so_and_refuses(self, tmp_path: Path) -> None:
        async def scenario(stage: Stage) -> None:
            read = await stage.read()
            assert (read.has_balloon, read.actual_bytes, read.statistics) == (False, None, None)
            with pytest.raises(DriverRefusedError, match="Missing virtio-balloon"):
                await stage.driver.set_target(await stage.guest(), target_bytes=300 * MIB)

        play(tmp_path, cloud_hypervisor(has_balloon=False), scenario)

    def test_the_balloons_size_is_sent_in_bytes_and_whole_pages(self, tmp_path: Path) -> None:
        async def scenario(stage: Stage) -> None:
            await stage.driver.set_target(await stage.guest(), target_bytes=300 * MIB + 1)

        stage = play(tmp_path, cloud_hypervisor(), scenario)
        balloon_bytes = 212 * MIB - 4096
        assert stage.sent("PUT") == [("/api/v1/vm.resize", {"desired_balloon": balloon_bytes})]

    def test_the_standing_target_and_reporting_are_read_whoever_set_them(
        self, tmp_path: Path
    ) -> None:
        async def scenario(stage: Stage) -> None:
            read = await stage.read()
            assert (read.standing_target_bytes, read.reports_free_pages) == (MAX_BYTES, True)
            assert read.hinting is None, "it has no such thing"
            stage.world.guest("ada").set_target(300 * MIB)  # somebody else
            stage.world.guest("ada").faults.is_stalled = True
            await asyncio.sleep(1)
            read = await stage.read()
            assert read.standing_target_bytes == 300 * MIB
            assert read.actual_bytes == MAX_BYTES

        play(tmp_path, cloud_hypervisor(free_page_reporting=True), scenario)

    def test_memory_in_zones_and_plugged_in_counts(self) -> None:
        zones = [{"id": "a", "size": GIB}, {"id": "b", "size": GIB, "hotplugged_size": MIB}]
        for memory, size_bytes in (
            ({"size": GIB}, GIB),
            ({"size": GIB, "hotplugged_size": MIB}, GIB + MIB),
            ({"size": 0, "zones": zones}, 2 * GIB + MIB),
        ):
            info = parse_info({"state": "Running", "config": {"memory": memory}})
            assert info.max_bytes == size_bytes


class TestFirecracker:
    """Its own ways."""

    @pytest.mark.parametrize(("identifier", "name"), [("anonymous-instance", "api"), ("b7", "b7")])
    def test_a_microvm_is_known_by_its_id_unless_it_was_given_none(
        self, tmp_path: Path, identifier: str, name: str
    ) -> None:
        async def scenario(stage: Stage) -> None:
            assert await stage.guest() == name
            assert (await stage.read()).name == name

        play(tmp_path, firecracker(identifier), scenario)

    def test_one_that_has_not_been_started_is_no_guest(self, tmp_path: Path) -> None:
        def make(world: World) -> Api:
            return FirecrackerApi(world, "ada", MicroVm(), boot=lambda _machine: ada(world))

        async def scenario(stage: Stage) -> None:
            assert await stage.driver.list_guests() == ()
            for path, body in (
                ("/machine-config", b'{"mem_size_mib": 512, "vcpu_count": 1}'),
                ("/balloon", b'{"amount_mib": 0, "deflate_on_oom": true}'),
                ("/actions", b'{"action_type": "InstanceStart"}'),
            ):
                request = Request(method="PUT", path=path, body=body)
                assert stage.api.answer(request).status == 204
            await asyncio.sleep(3)
            assert (await stage.read()).max_bytes == MAX_BYTES

        play(tmp_path, make, scenario)

    def test_with_statistics_off_nothing_is_known_and_the_cure_is_told(
        self, tmp_path: Path
    ) -> None:
        async def scenario(stage: Stage) -> None:
            read = await stage.read()
            assert (read.has_balloon, read.actual_bytes, read.statistics) == (True, None, None)
            assert '"stats_polling_interval_s": 1' in (read.trouble or "")

        stage = play(tmp_path, firecracker(stats_polling_interval_s=0), scenario)
        assert stage.sent("PATCH") == []

    @pytest.mark.parametrize(
        ("before_s", "settings", "sent_s"),
        [
            (10, SocketSettings(), [1, 10]),  # slower than ours: lowered, then put back
            (1, SocketSettings(statistics_period_s=5), []),  # faster than ours: left alone
            (10, SocketSettings(arm_statistics=False), []),  # told to change nothing
        ],
    )
    def test_the_reporting_period_of_somebody_else_is_respected(
        self, tmp_path: Path, before_s: int, settings: SocketSettings, sent_s: list[int]
    ) -> None:
        make_api = firecracker(stats_polling_interval_s=before_s)
        stage = play(tmp_path, make_api, nothing, settings=settings)
        wanted = [("/balloon/statistics", {"stats_polling_interval_s": s}) for s in sent_s]
        assert stage.sent("PATCH") == wanted

    def test_the_amount_is_sent_in_whole_mib_and_the_guest_gets_the_rest(
        self, tmp_path: Path
    ) -> None:
        async def scenario(stage: Stage) -> None:
            await stage.driver.set_target(await stage.guest(), target_bytes=300 * MIB + 1)

        stage = play(tmp_path, firecracker(), scenario)
        assert stage.sent("PATCH") == [("/balloon", {"amount_mib": 211})]

    def test_the_standing_target_is_read_whoever_set_it(self, tmp_path: Path) -> None:
        async def scenario(stage: Stage) -> None:
            assert (await stage.read()).standing_target_bytes == MAX_BYTES
            stage.world.guest("ada").set_target(300 * MIB)  # somebody else
            stage.world.guest("ada").faults.is_stalled = True
            await asyncio.sleep(1)
            read = await stage.read()
            assert read.standing_target_bytes == 300 * MIB
            assert read.actual_bytes == MAX_BYTES

        play(tmp_path, firecracker(), scenario)

    def test_reporting_and_hinting_are_read(self, tmp_path: Path) -> None:
        async def scenario(stage: Stage) -> None:
            read = await stage.read()
            assert (read.reports_free_pages, read.hinting) == (True, Hinting.IDLE)
            for what, hinting in (("start", Hinting.RUNNING), ("stop", Hinting.IDLE)):
                path = f"/balloon/hinting/{what}"
                started = stage.api.answer(Request(method="PATCH", path=path, body=b"{}"))
                assert started.status == 204
                await asyncio.sleep(1)
                assert (await stage.read()).hinting is hinting

        play(tmp_path, firecracker(free_page_hinting=True, free_page_reporting=True), scenario)

    def test_without_hinting_its_status_is_not_asked_for(self, tmp_path: Path) -> None:
        async def scenario(stage: Stage) -> None:
            read = await stage.read()
            assert (read.reports_free_pages, read.hinting) == (False, Hinting.OFF)

        stage = play(tmp_path, firecracker(), scenario)
        assert not [path for path, _ in stage.sent("GET") if "hinting" in path]

    def test_figures_that_do_not_change_grow_old(self, tmp_path: Path) -> None:
        """A driver that hangs and a guest in which nothing happens look the same."""

        async def scenario(stage: Stage) -> None:
            stage.world.guest("ada").faults.has_frozen_statistics = True
            await stage.read()
            await asyncio.sleep(20)
            statistics = (await stage.read()).statistics
            assert statistics is not None
            assert statistics.age_s > 15

        play(tmp_path, firecracker(), scenario)

    def test_a_guest_that_was_never_heard_has_no_figures(self, tmp_path: Path) -> None:
        async def scenario(stage: Stage) -> None:
            statistics = (await stage.read()).statistics
            assert statistics is not None
            assert {figure.why for figure in statistics.absent} == {Absence.NEVER_SAMPLED}

        def make(world: World) -> Api:
            ada(world, faults=Faults(has_driver=False))
            balloon = Balloon(stats_polling_interval_s=1)
            return FirecrackerApi(world, "ada", MicroVm(mem_size_mib=512, balloon=balloon))

        play(tmp_path, make, scenario)


KEYS = [
    *("config", "memory", "size", "zones", "state", "balloon"),
    *("stats", "last_update", "free_memory", "total_memory", "actual_pages"),
    *("id", "mem_size_mib"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_comes_is_parsed_or_told_to_be_a_violation(untrusted: object) -> None:
    for parse in (
        parse_info,
        lambda answer: parse_balloon_stats(answer, max_bytes=MAX_BYTES),
        parse_instance,
        parse_machine,
        parse_features,
        parse_balloon_bytes,
        parse_figures,
        parse_target_bytes,
        parse_hinting,
        parse_vsock,
    ):
        try:
            parse(untrusted)
        except AnswerViolationError:
            continue
