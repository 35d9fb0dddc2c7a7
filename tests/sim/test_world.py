import asyncio
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import RunState
from aerostat.sim.constants import HostPhysics
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.virtual_time import run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import GIB, MIB
from sim.worlds import NO_SWAP, build, seconds_of, served_ratio, world_of_one


def digest_of_a_run(seed: int = 7, step_s: float = 0.05) -> str:
    """Everything that three busy guests said in a minute of changing targets, as one digest."""
    names = ("a", "b", "c")
    world = World(
        [GuestSpec(name=name, load=Load(hot_bytes=80 * MIB)) for name in names],
        seed=seed,
        step_s=step_s,
    )
    heard = hashlib.sha256()
    world.listen(lambda event: heard.update(repr(event).encode()))
    for second in range(60):
        name = names[second // 7 % 3]
        world.guest(name).set_hot((80 + 31 * second % 300) * MIB)
        world.guest(name).set_target((200 + 37 * second % 300) * MIB)
        world.advance(1)
        for guest in world.guests.values():
            heard.update(repr(guest.snapshot(wall_s=world.wall_s, hypervisor_bytes=0)).encode())
            heard.update(repr(guest.take_seconds()).encode())
    heard.update(repr(world.host.memory()).encode())
    return heard.hexdigest()


def test_the_same_seed_gives_the_same_world() -> None:
    """A failing run is a seed and a commit, nothing more."""
    assert digest_of_a_run() == digest_of_a_run()
    assert digest_of_a_run(seed=7) != digest_of_a_run(seed=8)


def test_hash_seeds_change_nothing() -> None:
    """No set and no hash order may reach a result."""
    tests = Path(__file__).parents[1]
    searched = os.pathsep.join((str(tests), *sys.path))  # the same sources as this process
    digests = set()
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", "from sim.test_world import *; print(digest_of_a_run())"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": searched},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        digests.add(run.stdout.strip())
    assert digests == {digest_of_a_run()}


def test_one_guest_more_changes_nothing_for_the_others() -> None:
    """Each guest draws from its own stream, so worlds can be compared."""
    alone, crowded = world_of_one(), world_of_one()
    crowded.add(GuestSpec(name="a"))
    for world in (alone, crowded):
        world.advance(10)
    snapshots = [
        world.guest("vm").snapshot(wall_s=world.wall_s, hypervisor_bytes=0)
        for world in (alone, crowded)
    ]
    assert snapshots[0] == snapshots[1]


def test_a_minute_and_a_half_of_three_guests_takes_about_a_second_at_most() -> None:
    """The demo and the tests of the loop live on this."""
    began_s = time.process_time()
    world = World([GuestSpec(name=name, load=Load(hot_bytes=350 * MIB)) for name in "abc"])
    for guest in world.guests.values():
        guest.set_target(300 * MIB)
    world.advance(100)
    assert time.process_time() - began_s < 1.0


def test_run_follows_the_loops_time() -> None:
    """Sleeping on the loop is all that a test of the control loop does to let guests live."""

    async def main() -> tuple[float, int]:
        world = world_of_one(target_mib=256)
        async with asyncio.TaskGroup() as group:
            living = group.create_task(world.run())
            await asyncio.sleep(30.01)
            living.cancel()
        return world.now_s, world.guest("vm").actual_bytes

    now_s, actual_bytes = run_simulated(main())
    assert now_s == pytest.approx(30)
    assert actual_bytes == 256 * MIB


def test_lifecycle_and_balloon_moves_are_announced() -> None:
    """The loop wakes on events; balloon moves come at most once a second."""
    heard: list[Event] = []
    world = world_of_one()
    stop = world.listen(heard.append)
    world.advance(2)
    world.guest("vm").set_target(200 * MIB)
    world.advance(3)
    moves = [event for event in heard if isinstance(event, BalloonMoved)]
    assert moves[-1].actual_bytes == 200 * MIB
    assert len(moves) <= 3
    world.pause("vm")
    world.resume("vm")
    world.reset("vm")
    world.crash("vm")
    world.shut_down("vm")
    world.remove("vm")
    world.add(GuestSpec(name="new"))
    kinds = [event.kind for event in heard if isinstance(event, LifecycleChanged)]
    assert kinds == [
        LifecycleKind.PAUSED,
        LifecycleKind.RESUMED,
        LifecycleKind.RESET,
        LifecycleKind.CRASHED,
        LifecycleKind.SHUTDOWN,
        LifecycleKind.DISAPPEARED,
        LifecycleKind.APPEARED,
    ]
    stop()
    heard.clear()
    world.pause("new")
    assert heard == []


def test_a_paused_guest_stands_still_and_reaches_its_target_when_resumed() -> None:
    """Lab: QMP answers, last-update freezes, the target is reached 0.72 s after cont."""
    world = world_of_one()
    world.advance(5)
    world.pause("vm")
    guest = world.guest("vm")
    before = guest.snapshot(wall_s=world.wall_s, hypervisor_bytes=0)
    guest.set_target(256 * MIB)
    seconds = seconds_of(world, 10)
    after = guest.snapshot(wall_s=world.wall_s, hypervisor_bytes=0)
    assert seconds == ()
    assert after.run_state is RunState.PAUSED
    assert after.actual_bytes == 512 * MIB
    assert before.statistics is not None
    assert after.statistics is not None
    assert after.statistics.sampled_wall_s == before.statistics.sampled_wall_s
    assert after.statistics.age_s >= 10
    world.resume("vm")
    world.advance(1)
    assert guest.actual_bytes == 256 * MIB


def test_a_reset_guest_starts_afresh_and_inflates_to_the_standing_target() -> None:
    """A target survives a reset: the fresh kernel goes straight to it."""
    world = world_of_one(hot_mib=200, target_mib=200)
    world.advance(20)
    guest = world.guest("vm")
    assert guest.state.swap_out_bytes > 0
    world.reset("vm")
    assert guest.actual_bytes == 512 * MIB
    assert guest.state.swap_out_bytes == 0
    world.advance(2)
    assert guest.actual_bytes == 200 * MIB


def test_statistics_have_whole_seconds_and_their_period() -> None:
    """A good sample may look up to two seconds old: that is what the deadline must allow."""
    world = world_of_one()
    stamps, ages = set(), []
    world.advance(3)
    for _ in range(100):
        world.advance(0.1)
        statistics = world.guest("vm").snapshot(wall_s=world.wall_s, hypervisor_bytes=0).statistics
        assert statistics is not None
        stamps.add(statistics.sampled_wall_s)
        ages.append(statistics.age_s)
    assert 10 <= len(stamps) <= 12
    assert all(stamp == int(stamp) for stamp in stamps)
    assert 0 <= min(ages) < max(ages) <= 2.1


def test_the_total_leaves_the_balloon_in_with_deflate_on_oom_only() -> None:
    """Lab: 470 MiB at any balloon when on; less by the balloon when off."""
    totals = {}
    for on in (True, False):
        world = world_of_one(target_mib=200, guest_build=build(deflate_on_oom=on))
        world.advance(5)
        totals[on] = world.guest("vm").memory().total_bytes / MIB
    assert totals == {True: pytest.approx(470, abs=1), False: pytest.approx(158, abs=1)}


def test_the_host_sees_what_its_guests_hold() -> None:
    """Free on the host is RAM less its own, less guests, less their hypervisors' own."""
    physics = HostPhysics(total_bytes=4 * GIB, other_bytes=GIB)
    world = World([GuestSpec(name="a"), GuestSpec(name="b")], host=physics)
    world.advance(10)
    memory = SimulatedSensor(world.host).read()
    held = sum(guest.held_bytes for guest in world.guests.values())
    expected = 3 * GIB - held - 2 * physics.hypervisor_bytes
    assert memory.available_bytes == pytest.approx(expected, abs=4096)
    assert memory.swap_free_bytes == memory.swap_total_bytes


def test_guests_that_overfill_the_host_are_swapped_by_it_and_slowed() -> None:
    """Overcommit without a balloon: the host swaps, and guests cannot see why they are slow."""
    physics = HostPhysics(total_bytes=2 * GIB, other_bytes=GIB)
    guests = [GuestSpec(name=name, load=Load(hot_bytes=380 * MIB)) for name in "abc"]
    world = World(guests, host=physics)
    world.advance(30)
    memory = SimulatedSensor(world.host).read()
    assert memory.available_bytes == 0
    assert memory.swap_free_bytes < memory.swap_total_bytes
    assert memory.swap_in_bytes is not None
    assert memory.swap_in_bytes > 0
    assert memory.pressure_some_total_s is not None
    assert memory.pressure_some_total_s > 0
    snapshot = world.guest("a").snapshot(wall_s=world.wall_s, hypervisor_bytes=0)
    assert snapshot.footprint is not None
    assert snapshot.footprint.swap_bytes is not None
    assert snapshot.footprint.swap_bytes > 100 * MIB
    assert world.guest("a").state.swap_in_bytes == 0
    assert sum(s.latency_max_s for s in seconds_of(world, 5, "a")) / 5 > 0.005


def test_every_second_counts_whole_requests_and_loses_none() -> None:
    """Rows are whole numbers; over a run they add up to the offered rate."""
    world = world_of_one(hot_mib=350, target_mib=300, guest_build=build())
    seconds = seconds_of(world, 60)
    assert len(seconds) == 60
    assert sum(second.offered for second in seconds) == pytest.approx(120_000, abs=1)
    for second in seconds:
        assert sum(second.latency_histogram.values()) == second.served
    assert served_ratio(seconds) < 1


def test_a_guest_without_swap_reports_none() -> None:
    """Absent swap is a total of zero, as in the real workload's report."""
    world = world_of_one(guest_build=build(swap=NO_SWAP))
    last = seconds_of(world, 3)[-1]
    assert (last.swap_total_bytes, last.swap_free_bytes) == (0, 0)
