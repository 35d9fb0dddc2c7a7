"""How a machine is, in one word and in words: dead, stuck and slow are not the same."""

import signal
from dataclasses import dataclass
from enum import Enum


class HealthState(Enum):
    """What can be said of a machine."""

    BOOTING = "booting"
    RUNNING = "running"
    PAUSED = "paused"  # through QMP
    HUNG = "hung"  # it ought to run, and says nothing
    WORKLOAD_KILLED = "workload killed"  # by the guest's kernel; the guest lives
    WORKLOAD_ENDED = "workload ended"  # as ordered
    PANICKED = "panicked"
    KILLED = "killed"  # QEMU, by a signal
    EXITED = "exited"  # QEMU, by itself or as ordered


_ALIVE = frozenset({HealthState.BOOTING, HealthState.RUNNING, HealthState.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of a machine with its reason."""

    state: HealthState
    words: str

    @property
    def is_well(self) -> bool:
        """Whether the machine's figures, or their absence, are to be taken at face value."""
        return self.state in _ALIVE


def signal_name(number: int) -> str:
    """Name a signal: 9 is ``SIGKILL``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def panic_health(console: str) -> Health | None:
    """Judge the guest's console; None: it shows no panic."""
    panic = next((line for line in console.splitlines() if "Kernel panic" in line), None)
    if panic is None:
        return None
    untrusted_words = "".join(letter for letter in panic if letter.isprintable())[:200]
    return Health(
        state=HealthState.PANICKED, words=f"the guest's kernel panicked: {untrusted_words}"
    )


def exit_health(returncode: int, console: str, *, oom_kills: int | None) -> Health:
    """Judge how QEMU ended from its exit status, the guest's console and its cgroup."""
    panic = panic_health(console)
    if panic is not None:
        return panic
    if returncode < 0:
        by = "the host's OOM killer" if oom_kills else signal_name(-returncode)
        return Health(state=HealthState.KILLED, words=f"QEMU was killed by {by}")
    return Health(state=HealthState.EXITED, words=f"QEMU exited with status {returncode}")


def workload_health(status: int) -> Health:
    """Judge how the workload's process ended."""
    if status == 0:
        return Health(state=HealthState.WORKLOAD_ENDED, words="the workload ended as ordered")
    how = f"was killed by {signal_name(status - 128)}" if status > 128 else f"exited with {status}"
    return Health(state=HealthState.WORKLOAD_KILLED, words=f"the workload {how} (status {status})")


def silence_health(
    *, silent_s: float, vm_status: str | None, process_state: str | None, cpu_s: float | None
) -> Health:
    """Judge a machine that has said nothing for longer than it should.

    Args:
        silent_s: since its last line.
        vm_status: what QEMU says of the machine; None if QEMU does not answer.
        process_state: the letter of QEMU in /proc/PID/stat.
        cpu_s: what QEMU used of the processor during the silence.
    """
    said = f"no line for {silent_s:.0f} s"
    if process_state in {"T", "t"}:
        return Health(state=HealthState.HUNG, words=f"{said}: QEMU is stopped by a signal")
    if vm_status is None:
        return Health(state=HealthState.HUNG, words=f"{said}: QEMU does not answer")
    if vm_status != "running":
        return Health(state=HealthState.PAUSED, words=f"{said}: the machine is {vm_status}")
    used = "" if cpu_s is None else f"; QEMU used {cpu_s:.1f} s of a processor meanwhile"
    return Health(state=HealthState.HUNG, words=f"{said} while the machine runs{used}")
