"""The daemon as a process on real guests: what it does in each mode, and what it leaves behind."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pytest

from aerostat.lab.image import GuestImage
from aerostat.lab.machine import HealthState, MachineSpec, WorkloadSpec
from aerostat.units import MIB
from daemon_process import Daemon, Daemons, Line, daemons
from lab.guests_in_thread import Guests, booted_guests

pytestmark = [pytest.mark.lab, pytest.mark.slow]

RAM_BYTES = 256 * MIB
BUDGET_BYTES = 400 * MIB
SQUEEZED_BYTES = BUDGET_BYTES + 16 * MIB  # what is closer than a dead band for each is not moved
SMALL_BYTES = 16 * MIB
BIG_BYTES = 140 * MIB
HUGE_BYTES = 200 * MIB
FIRST_ROUNDS_S = 4.0
"""Grace of these daemons: for so long nothing is taken from a guest that has just been found."""


class Run(Protocol):
    """Starts a daemon on the guests of a test."""

    def __call__(self, mode: str, *, on_stop: str = "leave", budget_mib: int = 400) -> Daemon: ...


def small_guest(name: str, *, has_driver: bool = True) -> MachineSpec:
    return MachineSpec(
        name=name,
        ram_bytes=RAM_BYTES,
        swap_bytes=256 * MIB,
        balloon_driver="loaded" if has_driver else "absent",
        workload=WorkloadSpec(hot_bytes=SMALL_BYTES, rate=1000),
    )


@pytest.fixture(scope="module")
def two_guests(image: GuestImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    """Two guests for the whole file: booting is most of what a test here would take."""
    run_dir = tmp_path_factory.mktemp("two")
    with booted_guests([small_guest("ada"), small_guest("bob")], image, run_dir) as booted:
        yield booted


@pytest.fixture
def guests(two_guests: Guests) -> Guests:
    """The two, as if nobody had balanced them yet."""
    two_guests.rest(SMALL_BYTES)
    return two_guests


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Daemons]:
    """Starts daemons that are killed when the test is over."""
    with daemons(tmp_path) as started:
        yield started


@pytest.fixture
def run(guests: Guests, start: Daemons, tmp_path: Path) -> Run:
    """Starts a daemon on the two guests."""
    return runner(guests, start, tmp_path)


def runner(guests: Guests, start: Daemons, directory: Path) -> Run:
    def start_on(mode: str, *, on_stop: str = "leave", budget_mib: int = 400) -> Daemon:
        config = directory / "aerostat.toml"
        config.write_text(
            f'mode = "{mode}"\non_stop = "{on_stop}"\n'
            f'[qmp]\nsockets = ["{guests.sockets}"]\n'
            f'[host]\nbudget = "{budget_mib}MiB"\nreserve = "64MiB"\nburst_reserve = "0%"\n'
            f'[advanced]\ngrace = "{FIRST_ROUNDS_S:g}s"\ndistress_quiet = "2s"\n'
        )
        return start("-c", str(config))

    return start_on


@contextmanager
def stopped_process(pid: int) -> Iterator[None]:
    """A process that hangs for the length of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def squeeze(daemon: Daemon, guests: Guests) -> None:
    """Wait until the guests are in their budget."""
    daemon.until(lambda: guests.total_actual_bytes() <= SQUEEZED_BYTES, "the guests are squeezed")


def grow_bob(guests: Guests) -> None:
    """Bob needs more than half of the budget; wait until it has it."""
    guests.order("bob", f"hot {BIG_BYTES}")
    guests.until(lambda: guests.actual_bytes("bob") >= 215 * MIB, "memory moves to bob")


def assert_sound(guests: Guests) -> None:
    """No page of any guest was harmed, and none was killed for memory."""
    for name in guests.names:
        sample = guests.latest(name)
        assert sample.checksum_errors == 0, f"{name}: {sample}"
        assert sample.oom_kills == 0, f"{name}: {sample}"
        assert guests.health(name) is HealthState.RUNNING


def assert_said_no(daemon: Daemon, *events: str) -> None:
    """It said nothing of these kinds, and nothing that is no log line."""
    assert not [line for line in daemon.lines if line["event"] in events], daemon.transcript
    assert not daemon.garbage, daemon.transcript


def at_s(line: Line) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()


def test_observing_changes_nothing_in_a_vm(guests: Guests, run: Run) -> None:
    """Not even how often its guest reports, though the budget is far exceeded."""
    daemon = run("observe")
    for name in guests.names:
        daemon.until_said("guest_found", guest=name)
    guests.live_on(3)
    assert daemon.stop() == 0
    assert guests.total_actual_bytes() == 2 * RAM_BYTES
    assert [guests.statistics_period_s(name) for name in guests.names] == [0, 0]
    assert_said_no(daemon, "target", "recommendation", "round_failed")


def test_recommending_says_what_it_would_do_and_moves_nothing(guests: Guests, run: Run) -> None:
    daemon = run("recommend")
    advice = daemon.until_said("recommendation")
    assert advice["guest"] in guests.names
    assert advice["target_bytes"] < advice["actual_bytes"] == RAM_BYTES
    assert "->" in advice["words"]
    guests.live_on(2)
    assert daemon.stop() == 0
    assert guests.total_actual_bytes() == 2 * RAM_BYTES
    assert [guests.statistics_period_s(name) for name in guests.names] == [1, 1]
    assert len(daemon.said("recommendation")) <= 6  # not the same in every round
    assert_said_no(daemon, "target", "round_failed")


def test_enforcing_moves_memory_to_who_needs_it_and_leaves_it_there(
    guests: Guests, run: Run
) -> None:
    daemon = run("enforce", on_stop="leave")
    squeeze(daemon, guests)
    grow_bob(guests)
    guests.until(lambda: guests.latest("bob").heap_bytes >= 0.9 * BIG_BYTES, "bob fills it")
    guests.until(lambda: guests.latest("bob").served >= 900, "bob serves its load")
    assert guests.total_actual_bytes() <= SQUEEZED_BYTES
    assert_sound(guests)

    assert daemon.stop() == 0
    left = [guests.actual_bytes(name) for name in guests.names]
    guests.live_on(2)
    assert [guests.actual_bytes(name) for name in guests.names] == left
    assert left[1] > left[0]
    assert {line["guest"] for line in daemon.said("target")} == {"ada", "bob"}
    assert_said_no(daemon, "round_failed", "released")


def test_a_stop_with_release_gives_the_memory_back(guests: Guests, run: Run) -> None:
    daemon = run("enforce", on_stop="release")
    squeeze(daemon, guests)
    assert daemon.stop() == 0
    released = daemon.said("released")
    assert [(line["guests"], line["not_accepted"]) for line in released] == [(2, [])]
    guests.until(lambda: guests.total_actual_bytes() == 2 * RAM_BYTES, "all is given back")
    assert_sound(guests)


@pytest.mark.incident("R15")
def test_a_daemon_that_was_killed_adopts_what_it_finds_and_first_helps_who_starves(
    guests: Guests, run: Run
) -> None:
    first = run("enforce")
    squeeze(first, guests)
    first.kill()
    guests.order("bob", f"hot {HUGE_BYTES}")  # and nobody is there to see it
    swapped_bytes = guests.latest("bob").swap_out_bytes + 5 * MIB
    guests.until(lambda: guests.latest("bob").swap_out_bytes > swapped_bytes, "bob starves")
    left = {name: guests.actual_bytes(name) for name in guests.names}
    assert sum(left.values()) <= SQUEEZED_BYTES  # the balloons stay, and the guests live

    second = run("enforce", budget_mib=480)  # some is to spare: nobody has to give first
    relief = second.until_said("target", guest="bob")
    assert relief["reason"] == "released_for_distress", second.transcript
    assert relief["actual_bytes"] == left["bob"]  # found as it was left
    assert relief["target_bytes"] > left["bob"]
    found_s = at_s(second.said("guest_found", guest="bob")[0])
    assert at_s(relief) - found_s < 2.5, second.transcript  # a sample comes once a second
    guests.until(lambda: guests.actual_bytes("bob") >= 215 * MIB, "bob is helped")
    for line in second.said("target", guest="ada"):
        given = line["target_bytes"] >= left["ada"]
        assert given or at_s(line) - found_s >= FIRST_ROUNDS_S - 0.5, second.transcript
    assert_sound(guests)
    assert second.stop() == 0


def test_a_guest_without_the_balloon_driver_is_left_alone_and_named(
    image: GuestImage, start: Daemons, run_dir: Path, tmp_path: Path
) -> None:
    with booted_guests([small_guest("cal", has_driver=False)], image, run_dir) as guests:
        daemon = runner(guests, start, tmp_path)("enforce", budget_mib=200)
        trouble = daemon.until_said("guest_trouble", guest="cal")
        assert "balloon driver" in trouble["detail"]
        found = daemon.said("guest_found", guest="cal")[0]
        assert at_s(trouble) - at_s(found) > FIRST_ROUNDS_S  # its grace is over as well
        assert daemon.stop() == 0
        assert guests.actual_bytes("cal") == RAM_BYTES
        assert_said_no(daemon, "target", "round_failed")


def test_a_paused_guest_is_left_alone_and_picked_up_again(guests: Guests, run: Run) -> None:
    daemon = run("enforce")
    squeeze(daemon, guests)
    guests.execute("bob", "stop")
    try:
        daemon.until_said("guest_lifecycle", guest="bob", change="paused")
        daemon.until_said("hold", guest="bob", reason="hold_not_running")
        paused_bytes, told = guests.actual_bytes("bob"), len(daemon.said("target", guest="bob"))
        guests.order("bob", f"hot {BIG_BYTES}")  # it will find this when it goes on
        guests.order("ada", f"hot {2 * SMALL_BYTES}")
        guests.until(lambda: guests.latest("ada").hot_bytes == 2 * SMALL_BYTES, "ada goes on")
        assert guests.actual_bytes("bob") == paused_bytes
        assert len(daemon.said("target", guest="bob")) == told
    finally:
        guests.execute("bob", "cont")
    daemon.until_said("guest_lifecycle", guest="bob", change="resumed")
    guests.until(lambda: guests.actual_bytes("bob") >= 215 * MIB, "bob is picked up again")
    assert_sound(guests)
    assert daemon.stop() == 0


def test_a_vm_that_hangs_does_not_hold_up_anothers_memory(guests: Guests, run: Run) -> None:
    for name in guests.names:  # as an earlier daemon might have left them: 160 MiB are to spare
        guests.execute(name, "balloon", value=160 * MIB)
    guests.until(lambda: guests.total_actual_bytes() == 320 * MIB, "both are small")
    daemon = run("enforce", budget_mib=480)
    for name in guests.names:
        daemon.until_said("guest_found", guest=name)
    with stopped_process(guests.pid("ada")):
        daemon.until_said("guest_trouble", guest="ada")
        guests.order("bob", f"hot {BIG_BYTES}")
        daemon.until(lambda: bob_target_bytes(daemon) >= 215 * MIB, "bob is given memory")
        assert daemon.said("guest_trouble_over", guest="ada") == []
    daemon.until_said("guest_trouble_over", guest="ada")
    guests.until(lambda: guests.actual_bytes("bob") >= 215 * MIB, "bob has it")
    guests.live_on(1)
    assert_sound(guests)
    assert daemon.stop() == 0
    assert_said_no(daemon, "round_failed")


def bob_target_bytes(daemon: Daemon) -> int:
    lines = daemon.said("target", guest="bob")
    return int(lines[-1]["target_bytes"]) if lines else 0
