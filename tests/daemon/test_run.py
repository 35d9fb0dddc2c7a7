"""``aerostat run`` as a process: how it starts, finds VMs, tells of them, and stops."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aerostat.units import MIB
from daemon_process import Daemons, aerostat
from deadlines import PATIENCE_S
from qemu_process import Fleet

pytestmark = pytest.mark.slow

BOTH_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def test_a_daemon_without_sockets_is_refused_and_told_what_to_write() -> None:
    done = aerostat("run")
    assert done.returncode == 2
    assert "names no guests" in done.stderr
    assert '--qmp "/run/vm/*.qmp"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_configuration_is_refused_with_file_line_and_key(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('mode = "observe"\n\n[host]\nbudget = 10\n[guests]\nmini = "1GiB"\n')
    done = aerostat("run", "-c", str(bad), "--qmp", "/nowhere/*.qmp")
    assert done.returncode == 2
    assert f"{bad}:4: host.budget: 10 is not a size" in done.stderr
    assert f'{bad}:6: guests.mini: unknown key; did you mean "min"?' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--nonsense",), ("--mode", "sometimes"), ("surplus",), ("-c",)],
    ids=" ".join,
)
def test_wrong_usage_is_refused(arguments: tuple[str, ...]) -> None:
    done = aerostat("run", "--qmp", "/nowhere/*.qmp", *arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr


@BOTH_SIGNALS
def test_a_signal_stops_it_cleanly(start: Daemons, tmp_path: Path, number: signal.Signals) -> None:
    daemon = start("--qmp", str(tmp_path / "*.qmp"))
    assert daemon.stop(number) == 0
    assert daemon.said("stopping", signal=number.name)
    assert daemon.lines[-1]["event"] == "stopped"
    assert daemon.garbage == []


@BOTH_SIGNALS
@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_monitor_that_hangs_does_not_keep_it_from_stopping(
    start: Daemons, fleet: Fleet, number: signal.Signals, mode: str
) -> None:
    qemu = fleet.start("ada")
    daemon = start("--qmp", fleet.glob, "--mode", mode)
    daemon.until_said("guest_found", guest="ada", state="running")
    qemu.freeze()
    trouble = daemon.until_said("guest_trouble", guest="ada")
    assert "answer" in trouble["detail"]
    assert daemon.stop(number) == 0
    assert daemon.lines[-1]["event"] == "stopped"
    assert daemon.garbage == []


def test_a_monitor_that_hangs_just_before_the_stop_does_not_keep_it_either(
    start: Daemons, fleet: Fleet
) -> None:
    """Nobody has noticed yet: the first command without an answer is one of the goodbye."""
    qemu = fleet.start("ada")
    daemon = start("--qmp", fleet.glob, "--mode", "enforce")
    daemon.until_said("guest_found", guest="ada")
    qemu.freeze()
    assert daemon.stop() == 0
    assert daemon.garbage == []


def test_a_vm_that_starts_later_is_found_and_one_that_is_killed_is_told(
    start: Daemons, fleet: Fleet
) -> None:
    daemon = start("--qmp", fleet.glob)
    assert daemon.said("started")[0]["sockets"] == [fleet.glob]
    daemon.until_said("summary", guests=0)
    ada = fleet.start("ada")
    found = daemon.until_said("guest_found", guest="ada")
    assert found["max_bytes"] == found["actual_bytes"] == 128 * MIB
    assert found["state"] == "running"
    fleet.start("bob")
    daemon.until_said("guest_found", guest="bob")

    ada.kill()
    daemon.until_said("guest_lifecycle", guest="ada", change="disappeared")
    fleet.start("cleo")  # the daemon goes on, and sees what comes
    daemon.until_said("guest_found", guest="cleo")
    fleet.start("ada")  # and a VM that comes again is found again
    daemon.until(lambda: len(daemon.said("guest_found", guest="ada")) == 2, "ada is found again")

    assert daemon.stop() == 0
    assert daemon.said("guest_lifecycle", guest="bob", change="disappeared") == []
    assert daemon.said("round_failed") == []
    assert daemon.garbage == []


def test_a_vm_without_a_balloon_device_is_left_alone_and_named(
    start: Daemons, fleet: Fleet
) -> None:
    fleet.start("ada", balloon=False)
    daemon = start("--qmp", fleet.glob, "--mode", "enforce")
    hold = daemon.until_said("hold", guest="ada")
    assert hold["reason"] == "hold_no_balloon"
    assert "no balloon device" in hold["words"]
    assert daemon.stop() == 0
    assert daemon.said("target") == []


def test_a_vm_whose_guest_never_reports_is_named(start: Daemons, fleet: Fleet) -> None:
    """A BIOS has no balloon driver, as a guest may have none: its figures never come."""
    fleet.start("ada")
    daemon = start("--qmp", fleet.glob, "--mode", "enforce")
    trouble = daemon.until_said("guest_trouble", guest="ada")
    assert "is its balloon driver loaded?" in trouble["detail"]
    assert daemon.stop() == 0
    assert len(daemon.said("guest_trouble")) == 1
    assert daemon.said("target") == []


def test_relative_sockets_count_from_where_it_was_started(start: Daemons, fleet: Fleet) -> None:
    fleet.start("ada")
    daemon = start("--qmp", "*.qmp")
    daemon.until_said("guest_found", guest="ada")
    assert daemon.stop() == 0


def test_the_mode_and_the_goodbye_come_from_the_file_and_the_option_is_above_it(
    start: Daemons, tmp_path: Path
) -> None:
    config = tmp_path / "aerostat.toml"
    sockets = str(tmp_path / "*.qmp")
    config.write_text(f'mode = "recommend"\non_stop = "release"\n[qmp]\nsockets = ["{sockets}"]\n')
    daemon = start("-c", str(config))
    started = daemon.said("started")[0]
    assert (started["mode"], started["on_stop"]) == ("recommend", "release")
    assert started["sockets"] == [sockets]
    assert daemon.stop() == 0
    over = start("-c", str(config), "--mode", "observe")
    assert over.said("started")[0]["mode"] == "observe"
    assert over.stop() == 0


def test_a_reader_of_the_log_that_goes_away_does_not_end_it(fleet: Fleet) -> None:
    command = [sys.executable, "-m", "aerostat", "run", "--qmp", fleet.glob]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:

        def connections() -> int:
            return _sockets_of(process.pid)

        try:
            assert process.stderr is not None
            assert b'"started"' in process.stderr.readline()
            process.stderr.close()
            idle = _settled(connections)
            for name in ("ada", "bob"):  # something to tell, and nobody to hear it
                qemu = fleet.start(name)
                _wait_until(lambda: connections() > idle, f"{name} is connected")
                qemu.kill()
                _wait_until(lambda: connections() == idle, f"{name} is let go of")
            assert process.poll() is None
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


def _settled(count: Callable[[], int]) -> int:
    """A count that has stood still for a second: a daemon that is still starting up has not."""
    seen, since_s = count(), time.monotonic()
    while time.monotonic() - since_s < 1.0:
        if count() != seen:
            seen, since_s = count(), time.monotonic()
        time.sleep(0.02)
    return seen


def _sockets_of(pid: int) -> int:
    """How many sockets it has open; what it closes while they are counted is not one of them."""
    sockets = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            sockets += str(link.readlink()).startswith("socket:")
    return sockets


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_s, f"{what}: not in {PATIENCE_S} s"
        time.sleep(0.02)
