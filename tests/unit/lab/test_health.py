"""Dead, stuck, paused and ended are told apart, in words."""

import pytest

from aerostat.lab.machine.health import (
    HealthState,
    exit_health,
    panic_health,
    silence_health,
    workload_health,
)

PANIC = "[ 1.0] Kernel panic - not syncing: sysrq triggered crash\n[ 1.0] CPU: 0\n"


def test_a_panic_outweighs_how_qemu_then_ended() -> None:
    for returncode in (0, -9):
        health = exit_health(returncode, PANIC, oom_kills=None)
        assert health.state == HealthState.PANICKED
        assert "sysrq triggered crash" in health.words


def test_a_signal_is_named_and_so_is_the_hosts_oom_killer() -> None:
    assert exit_health(-9, "", oom_kills=0).words == "QEMU was killed by SIGKILL"
    assert "OOM killer" in exit_health(-9, "", oom_kills=1).words
    assert exit_health(-9, "", oom_kills=None).state == HealthState.KILLED


def test_an_exit_of_its_own_has_its_status() -> None:
    health = exit_health(1, "booting\n", oom_kills=0)
    assert (health.state, health.words) == (HealthState.EXITED, "QEMU exited with status 1")


def test_what_a_console_shows_is_made_printable_and_short() -> None:
    health = panic_health("Kernel panic \x1b[2J" + "x" * 10_000)
    assert health is not None
    assert health.words.isprintable()
    assert len(health.words) < 300


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (0, HealthState.WORKLOAD_ENDED, "ended as ordered"),
        (1, HealthState.WORKLOAD_KILLED, "exited with 1"),
        (137, HealthState.WORKLOAD_KILLED, "killed by SIGKILL"),
        (999, HealthState.WORKLOAD_KILLED, "killed by signal 871"),
    ],
)
def test_how_a_workload_ended_is_said(status: int, state: HealthState, words: str) -> None:
    health = workload_health(status)
    assert health.state == state
    assert words in health.words


@pytest.mark.parametrize(
    ("vm_status", "process_state", "state", "words"),
    [
        ("running", "S", HealthState.HUNG, "while the machine runs; QEMU used 2.5 s"),
        ("paused", "S", HealthState.PAUSED, "the machine is paused"),
        (None, "S", HealthState.HUNG, "QEMU does not answer"),
        (None, "T", HealthState.HUNG, "stopped by a signal"),
    ],
)
def test_silence_is_explained(
    vm_status: str | None, process_state: str, state: HealthState, words: str
) -> None:
    health = silence_health(
        silent_s=12, vm_status=vm_status, process_state=process_state, cpu_s=2.5
    )
    assert health.state == state
    assert words in health.words
    assert "no line for 12 s" in health.words


def test_only_machines_that_live_are_well() -> None:
    well = {HealthState.BOOTING, HealthState.RUNNING, HealthState.PAUSED}
    for vm_status, state in (("paused", HealthState.PAUSED), ("running", HealthState.HUNG)):
        health = silence_health(silent_s=9, vm_status=vm_status, process_state="S", cpu_s=None)
        assert health.is_well == (state in well)
    assert not workload_health(137).is_well
