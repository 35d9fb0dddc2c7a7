"""The QMP driver against real QEMU processes (BIOS only: no guest system, so no balloon driver)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from aerostat.drivers.qmp import QmpSettings
from aerostat.drivers.qmp.guest import ConnectedGuest
from aerostat.model.events import LifecycleChanged, LifecycleKind
from aerostat.model.figures import Absence, VmFootprint
from aerostat.model.guest import GuestId, RunState
from aerostat.ports.errors import (
    DriverRefusedError,
    DriverUnavailableError,
    GuestGoneError,
    OutcomeUnknownError,
)
from aerostat.units import MIB
from qemu_process import FAST, Bystander, Fleet, Session, wait_until

UUID = "11111111-2222-3333-4444-555555555555"


async def wait_until_async(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline_s = time.monotonic() + 10
    while not await condition():
        assert time.monotonic() < deadline_s, f"{what}: not within 10 s"
        await asyncio.sleep(0.02)


async def jobs(operator: Bystander) -> list[dict[str, Any]]:
    found = await operator.execute("query-jobs")
    assert isinstance(found, list)
    return found


async def created(operator: Bystander, job: str, options: dict[str, Any]) -> None:
    """Make a disk image by QEMU itself."""
    await operator.execute("blockdev-create", **{"job-id": job}, options=options)

    async def is_done() -> bool:
        return all(j["status"] == "concluded" for j in await jobs(operator))

    await wait_until_async(is_done, f"{options} is made")
    await operator.execute("job-dismiss", id=job)


def lifecycle(session: Session) -> list[tuple[str, LifecycleKind]]:
    return [(e.guest, e.kind) for e in session.events if isinstance(e, LifecycleChanged)]


def test_a_vm_is_found_by_a_glob_and_read(fleet: Fleet) -> None:
    fleet.start("alpha")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            assert await session.driver.list_guests() == ("alpha",)
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.name == "alpha"
            assert snapshot.run_state is RunState.RUNNING
            assert snapshot.max_bytes == 128 * MIB
            assert snapshot.actual_bytes == 128 * MIB
            assert snapshot.has_balloon is True
            assert snapshot.trouble is None
            assert lifecycle(session) == [("alpha", LifecycleKind.APPEARED)]

    asyncio.run(scenario())


def test_without_a_balloon_driver_in_the_guest_every_figure_is_absent(fleet: Fleet) -> None:
    fleet.start("alpha")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            statistics = (await session.driver.read_guest(GuestId("alpha"))).statistics
            assert statistics is not None
            assert statistics.total_bytes is None
            assert {figure.why for figure in statistics.absent} == {Absence.NEVER_SAMPLED}
            assert len(statistics.absent) == 10

    asyncio.run(scenario())


def test_a_vm_without_a_balloon_device_says_so(fleet: Fleet) -> None:
    fleet.start("alpha", balloon=False)

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.has_balloon is False
            assert snapshot.actual_bytes is None
            assert snapshot.statistics is None
            assert snapshot.trouble is None
            with pytest.raises(DriverRefusedError, match="balloon"):
                await session.driver.set_target(GuestId("alpha"), target_bytes=100 * MIB)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "device",
    [
        "virtio-balloon-pci",
        "virtio-balloon-pci-transitional",
        "virtio-balloon-pci,id=balloon0,deflate-on-oom=on",
    ],
)
def test_the_balloon_is_found_with_and_without_an_id_and_in_every_variant(
    fleet: Fleet, device: str
) -> None:
    fleet.start("alpha", "-device", device, balloon=False)

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.statistics is not None
            assert snapshot.deflates_on_oom is ("deflate-on-oom=on" in device)

    asyncio.run(scenario())


def test_a_vm_is_known_by_its_uuid_then_its_name_then_its_socket(fleet: Fleet) -> None:
    fleet.start("alpha", "-uuid", UUID)
    fleet.start("beta")
    fleet.start("gamma", is_named=False)

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            assert await session.driver.list_guests() == (UUID, "beta", "gamma")
            assert (await session.driver.read_guest(GuestId(UUID))).name == "alpha"

    asyncio.run(scenario())


def test_memory_that_is_plugged_in_counts(fleet: Fleet) -> None:
    """A balloon counts from RAM and DIMMs: with less, what the guest says would be absurd."""
    socket, monitor = fleet.second_monitor()
    fleet.start(
        "alpha",
        *("-m", "128,slots=4,maxmem=1G"),
        *("-object", "memory-backend-ram,id=m1,size=128M", "-device", "pc-dimm,memdev=m1"),
        *monitor,
    )

    async def scenario() -> None:
        async with Session(fleet.glob) as session, Bystander(socket) as operator:

            async def holds(size_bytes: int) -> bool:
                read = await session.driver.read_guest(GuestId("alpha"))
                return read.max_bytes == read.actual_bytes == size_bytes

            await wait_until_async(lambda: holds(256 * MIB), "a DIMM from the start")
            memory = {"qom-type": "memory-backend-ram", "id": "m2", "size": 128 * MIB}
            await operator.execute("object-add", **memory)
            await operator.execute("device_add", driver="pc-dimm", id="d2", memdev="m2")
            await wait_until_async(lambda: holds(384 * MIB), "one that was plugged in")

    asyncio.run(scenario())


def test_two_vms_of_one_id_are_never_mixed_up(fleet: Fleet) -> None:
    """A copied definition keeps its UUID: one is managed, the other is shown and left alone."""
    first = fleet.start("alpha", "-uuid", UUID)

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            second = fleet.start("beta", "-uuid", UUID)
            left_alone = GuestId(str(second.socket))
            await session.until_listed(left_alone, UUID)
            rival = await session.until_state(left_alone, RunState.UNKNOWN)
            managed = await session.driver.read_guest(GuestId(UUID))
            assert managed.name == "alpha"
            assert str(second.socket) in (managed.trouble or "")
            assert rival.name == "beta"
            assert str(first.socket) in (rival.trouble or "")
            with pytest.raises(DriverUnavailableError, match="left alone"):
                await session.driver.set_target(left_alone, target_bytes=100 * MIB)

            first.kill()
            await session.until_listed(UUID)
            assert (await session.driver.read_guest(GuestId(UUID))).name == "beta"
            kinds = [LifecycleKind.APPEARED, LifecycleKind.DISAPPEARED, LifecycleKind.APPEARED]
            assert lifecycle(session) == [(UUID, kind) for kind in kinds]

    asyncio.run(scenario())


def test_a_killed_vm_disappears_and_comes_back_on_the_same_socket(fleet: Fleet) -> None:
    qemu = fleet.start("alpha")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            qemu.kill()
            await session.until_listed()
            with pytest.raises(GuestGoneError):
                await session.driver.read_guest(GuestId("alpha"))
            with pytest.raises(GuestGoneError):
                await session.driver.set_target(GuestId("alpha"), target_bytes=100 * MIB)
            assert qemu.socket.exists()  # a killed QEMU leaves its socket behind: it is no VM

            fleet.start("alpha")
            await session.until_listed("alpha")
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.run_state is RunState.RUNNING
            kinds = [LifecycleKind.APPEARED, LifecycleKind.DISAPPEARED, LifecycleKind.APPEARED]
            assert lifecycle(session) == [("alpha", kind) for kind in kinds]

    asyncio.run(scenario())


def test_a_lost_connection_to_a_living_vm_is_made_again_and_nothing_has_happened(
    fleet: Fleet,
) -> None:
    """Else a hiccup of the daemon would look like a new VM, and start its grace time again."""
    qemu = fleet.start("alpha")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            connected = session.driver._roll.watches[qemu.socket].connected
            assert isinstance(connected, ConnectedGuest)
            await connected.session.close()
            lost = await session.driver.read_guest(GuestId("alpha"))
            assert lost.run_state is RunState.UNREACHABLE
            assert lost.trouble is not None
            with pytest.raises(DriverUnavailableError):
                await session.driver.set_target(GuestId("alpha"), target_bytes=100 * MIB)
            await session.until_state("alpha", RunState.RUNNING)
            assert lifecycle(session) == [("alpha", LifecycleKind.APPEARED)]

    asyncio.run(scenario())


def test_what_the_host_knows_of_a_vm_is_told_even_when_it_hangs(fleet: Fleet) -> None:
    qemu = fleet.start("alpha")
    footprint = VmFootprint(age_s=0.0, rss_bytes=1)

    async def scenario() -> None:
        known = {qemu.pid: footprint}
        async with Session(fleet.glob, footprint_of=known.get) as session:
            assert (await session.driver.read_guest(GuestId("alpha"))).footprint == footprint
            qemu.freeze()
            hung = await session.driver.read_guest(GuestId("alpha"))
            assert hung.run_state is RunState.UNREACHABLE
            assert hung.footprint == footprint
            assert hung.max_bytes == 128 * MIB
            assert hung.actual_bytes is None
            known[qemu.pid] = replace(footprint, rss_bytes=2)
            measured = session.driver.measured(hung)
            assert measured == replace(hung, footprint=known[qemu.pid]), "nobody was asked"
            stranger = replace(hung, guest=GuestId("beta"))
            assert session.driver.measured(stranger) == stranger
            qemu.thaw()

    asyncio.run(scenario())


def test_a_vm_that_starts_later_is_found(fleet: Fleet) -> None:
    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            assert await session.driver.list_guests() == ()
            fleet.start("alpha")
            await session.until_listed("alpha")

    asyncio.run(scenario())


def test_a_hung_vm_costs_its_own_deadline_once_and_the_others_nothing(fleet: Fleet) -> None:
    hung = fleet.start("alpha")
    fleet.start("beta")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            hung.freeze()

            async def timed_read(name: str) -> tuple[RunState, str, float]:
                began_s = time.monotonic()
                snapshot = await session.driver.read_guest(GuestId(name))
                return snapshot.run_state, snapshot.trouble or "", time.monotonic() - began_s

            async with asyncio.TaskGroup() as group:
                slow = group.create_task(timed_read("alpha"))
                quick = group.create_task(timed_read("beta"))
            state, trouble, took_s = slow.result()
            assert state is RunState.UNREACHABLE
            assert "has not answered" in trouble
            assert FAST.command_deadline_s <= took_s < 3 * FAST.command_deadline_s
            assert quick.result()[0] is RunState.RUNNING
            assert quick.result()[2] < FAST.command_deadline_s / 2

            state, _, took_s = await timed_read("alpha")
            assert state is RunState.UNREACHABLE
            assert took_s < FAST.command_deadline_s / 2
            with pytest.raises(DriverUnavailableError, match="has not answered"):
                await session.driver.set_target(GuestId("alpha"), target_bytes=100 * MIB)

            hung.thaw()
            await session.until_state("alpha", RunState.RUNNING)
            kind = LifecycleKind.APPEARED
            assert sorted(lifecycle(session)) == [("alpha", kind), ("beta", kind)]

    asyncio.run(scenario())


def test_a_target_that_got_no_answer_is_an_unknown_outcome(fleet: Fleet) -> None:
    hung = fleet.start("alpha")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            hung.freeze()
            with pytest.raises(OutcomeUnknownError, match="no answer to balloon"):
                await session.driver.set_target(GuestId("alpha"), target_bytes=100 * MIB)
            hung.thaw()

    asyncio.run(scenario())


def test_a_monitor_held_by_another_client_is_told_as_such_and_taken_when_it_is_free(
    fleet: Fleet,
) -> None:
    qemu = fleet.start("alpha")

    async def scenario() -> None:
        other = Bystander(qemu.socket)
        await other.__aenter__()
        async with Session(fleet.glob) as session:
            waiting = GuestId(str(qemu.socket))
            assert await session.driver.list_guests() == (waiting,)
            snapshot = await session.driver.read_guest(waiting)
            assert snapshot.run_state is RunState.UNREACHABLE
            assert "held by another client" in (snapshot.trouble or "")
            with pytest.raises(DriverUnavailableError, match="held by another client"):
                await session.driver.set_target(waiting, target_bytes=100 * MIB)

            await other.__aexit__()
            await session.until_listed("alpha")

    asyncio.run(scenario())


def test_a_socket_that_does_not_speak_qmp_is_shown_with_its_trouble(fleet: Fleet) -> None:
    """The human monitor's socket is a common slip in a configuration."""
    human = fleet.directory / "human.qmp"
    fleet.start("alpha", "-monitor", f"unix:{human},server=on,wait=off")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            assert await session.driver.list_guests() == (str(human), "alpha")
            snapshot = await session.driver.read_guest(GuestId(str(human)))
            assert snapshot.run_state is RunState.UNREACHABLE
            assert "reeting" in (snapshot.trouble or "")

    asyncio.run(scenario())


@pytest.mark.parametrize("target_bytes", [0, -1, 4096, 65 * MIB, 129 * MIB])
def test_a_target_that_would_drain_the_guest_is_refused_and_not_sent(
    fleet: Fleet, target_bytes: int
) -> None:
    """QEMU accepts 4096 bytes, and clamps what is above the guest's RAM without a word."""
    fleet.start("alpha")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            with pytest.raises(DriverRefusedError, match="a target of"):
                await session.driver.set_target(GuestId("alpha"), target_bytes=target_bytes)

    asyncio.run(scenario())


def test_a_sensible_target_is_accepted_which_does_not_mean_done(fleet: Fleet) -> None:
    fleet.start("alpha")

    async def scenario() -> None:
        async with Session(fleet.glob) as session:
            await session.driver.set_target(GuestId("alpha"), target_bytes=100 * MIB)
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.actual_bytes == 128 * MIB  # no driver in the guest: nothing moves

    asyncio.run(scenario())


def test_a_vm_paused_and_resumed_from_elsewhere_is_seen_so(fleet: Fleet) -> None:
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options)

    async def scenario() -> None:
        async with Session(fleet.glob) as session, Bystander(socket) as operator:
            await operator.execute("stop")
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.run_state is RunState.PAUSED
            await operator.execute("cont")
            await operator.execute("system_reset")
            wanted = [LifecycleKind.PAUSED, LifecycleKind.RESUMED, LifecycleKind.RESET]
            await wait_until(
                lambda: [kind for _, kind in lifecycle(session)][1:4] == wanted,
                what="pause, resume and reset are told",
                seen=lambda: session.events,
            )

    asyncio.run(scenario())


def test_a_vm_that_shuts_down_says_so_before_it_is_gone(fleet: Fleet) -> None:
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options)

    async def scenario() -> None:
        async with Session(fleet.glob) as session, Bystander(socket) as operator:
            await operator.quit()
            await session.until_listed()
            wanted = [LifecycleKind.APPEARED, LifecycleKind.SHUTDOWN, LifecycleKind.DISAPPEARED]
            assert [kind for _, kind in lifecycle(session)] == wanted

    asyncio.run(scenario())


def test_a_vm_that_is_asked_to_shut_down_tells_at_once_and_runs_on(fleet: Fleet) -> None:
    """No system runs in it that would obey: the request is all that there is to see."""
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options)

    async def scenario() -> None:
        async with Session(fleet.glob) as session, Bystander(socket) as operator:
            await operator.execute("system_powerdown")
            wanted = [LifecycleKind.APPEARED, LifecycleKind.SHUTDOWN_ASKED]
            await wait_until(
                lambda: [kind for _, kind in lifecycle(session)] == wanted,
                what="the request is told",
                seen=lambda: session.events,
            )
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.run_state is RunState.RUNNING

    asyncio.run(scenario())


def test_why_a_vm_was_reset_or_ended_is_told_in_qemus_own_word(fleet: Fleet) -> None:
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options)

    async def scenario() -> None:
        async with Session(fleet.glob) as session, Bystander(socket) as operator:
            await operator.execute("system_reset")
            await operator.quit()
            await session.until_listed()
            told = {e.kind: e.detail for e in session.events if isinstance(e, LifecycleChanged)}
            assert told[LifecycleKind.RESET] in {"host-qmp-system-reset", "guest-reset"}
            assert told[LifecycleKind.SHUTDOWN] == "host-qmp-quit"

    asyncio.run(scenario())


def test_a_vm_that_is_being_migrated_is_told_as_such(fleet: Fleet) -> None:
    """Ballooning a VM in migration is accepted by QEMU and wastes the migration's work."""
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options)

    async def scenario() -> None:
        async with Session(fleet.glob) as session, Bystander(socket) as operator:
            await operator.execute("migrate-set-parameters", **{"max-bandwidth": 4096})
            await operator.execute("migrate", uri="exec:cat>/dev/null")
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.run_state is RunState.MIGRATING
            await operator.execute("migrate_cancel")
            await session.until_state("alpha", RunState.RUNNING)

    asyncio.run(scenario())


def test_a_vm_whose_disks_are_being_copied_is_told_as_such(fleet: Fleet) -> None:
    disk, copy = fleet.directory / "disk.raw", fleet.directory / "copy.raw"
    disk.write_bytes(bytes(8 * MIB))
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options, "-drive", f"file={disk},format=raw,if=none,id=d0")

    async def is_backing_up(session: Session) -> bool:
        return (await session.driver.read_guest(GuestId("alpha"))).is_backing_up

    async def scenario() -> None:
        async with Session(fleet.glob) as session, Bystander(socket) as operator:
            assert not await is_backing_up(session)
            backup = {"device": "d0", "target": str(copy), "format": "raw", "sync": "full"}
            await operator.execute("drive-backup", **backup, speed=65536)
            await wait_until_async(lambda: is_backing_up(session), "the backup is seen")
            snapshot = await session.driver.read_guest(GuestId("alpha"))
            assert snapshot.run_state is RunState.RUNNING
            assert snapshot.trouble is None
            await operator.execute("block-job-cancel", device="d0", force=True)

            async def is_over() -> bool:
                return not await is_backing_up(session)

            await wait_until_async(is_over, "its end is seen")

    asyncio.run(scenario())


def test_a_vm_that_is_backed_up_when_it_is_first_met_is_told_as_such(fleet: Fleet) -> None:
    """No event tells of a job that runs already."""
    disk, copy = fleet.directory / "disk.raw", fleet.directory / "copy.raw"
    disk.write_bytes(bytes(8 * MIB))
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options, "-drive", f"file={disk},format=raw,if=none,id=d0")

    async def scenario() -> None:
        async with Bystander(socket) as operator:
            backup = {"device": "d0", "target": str(copy), "format": "raw", "sync": "full"}
            await operator.execute("drive-backup", **backup, speed=65536)
            async with Session(fleet.glob) as session:
                snapshot = await session.driver.read_guest(GuestId("alpha"))
                assert snapshot.is_backing_up
            await operator.execute("block-job-cancel", device="d0", force=True)

    asyncio.run(scenario())


def test_a_vm_whose_snapshot_is_saved_runs_again_afterwards(fleet: Fleet) -> None:
    """QEMU stops it, answers nobody while it writes, and lets it go on: nothing is left behind."""
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options)
    image = str(fleet.directory / "disk.qcow2")

    async def scenario() -> None:
        async with Session(fleet.glob) as session, Bystander(socket) as operator:
            await created(operator, "f", {"driver": "file", "filename": image, "size": 0})
            await operator.execute(
                "blockdev-add", **{"driver": "file", "node-name": "f0"}, filename=image
            )
            await created(operator, "q", {"driver": "qcow2", "file": "f0", "size": 256 * MIB})
            await operator.execute(
                "blockdev-add", **{"driver": "qcow2", "node-name": "q0"}, file="f0"
            )
            save = {"job-id": "s", "tag": "t", "vmstate": "q0", "devices": ["q0"]}
            await operator.execute("snapshot-save", **save)
            await wait_until(
                lambda: LifecycleKind.RESUMED in [kind for _, kind in lifecycle(session)],
                what="it goes on",
                seen=lambda: session.events,
            )
            snapshot = await session.until_state("alpha", RunState.RUNNING)
            assert snapshot.trouble is None
            (job,) = [j for j in await jobs(operator) if j["id"] == "s"]
            assert "error" not in job, job

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("before_s", "settings", "during_s", "after_s"),
    [
        (0, FAST, 1, 1),  # off: switched on, and left on
        (10, FAST, 1, 10),  # slower than ours: lowered, then put back
        (1, QmpSettings(statistics_period_s=5), 1, 1),  # faster than ours: left alone
        (0, QmpSettings(arm_statistics=False), 0, 0),  # told to change nothing
    ],
)
def test_the_reporting_period_of_somebody_else_is_respected(
    fleet: Fleet, before_s: int, settings: QmpSettings, during_s: int, after_s: int
) -> None:
    socket, options = fleet.second_monitor()
    fleet.start("alpha", *options)
    period = {"path": "/machine/peripheral/b0", "property": "guest-stats-polling-interval"}

    async def scenario() -> None:
        async with Bystander(socket) as operator:
            await operator.execute("qom-set", **period, value=before_s)
            async with Session(fleet.glob, settings=settings):
                assert await operator.execute("qom-get", **period) == during_s
            assert await operator.execute("qom-get", **period) == after_s

    asyncio.run(scenario())


def test_closing_is_quick_even_when_a_vm_hangs(fleet: Fleet) -> None:
    qemu = fleet.start("alpha")

    async def scenario() -> None:
        session = Session(fleet.glob)
        async with session:
            qemu.freeze()
            began_s = time.monotonic()
        assert time.monotonic() - began_s < 3.0
        qemu.thaw()

    asyncio.run(scenario())
