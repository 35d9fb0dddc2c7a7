"""Prepares the process that becomes QEMU: runs as a program of its own, before the exec.

A function between fork and exec would run in a copy of a process with threads and an event loop.
Standard library only, and started with ``python -I -S``: it is on the way of every boot.

    launch.py PARENT_PID CGROUP_PROCS HUGE_PAGES COMMAND...     ("-": none; "on" or "off")
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_THP_DISABLE = 41


def main(arguments: list[str]) -> None:
    """Join the cgroup, tie life to the parent, set the policy on huge pages, become the command."""
    parent_pid, cgroup_procs, huge_pages, *command = arguments
    if cgroup_procs != "-":
        _join(cgroup_procs)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(parent_pid):
        sys.exit("the lab died while it was starting a machine")
    if huge_pages == "off" and prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0:
        sys.stderr.write("transparent huge pages stay on: prctl refused\n")
    os.execvp(command[0], command)  # noqa: S606 - to become QEMU is the point


def _join(procs: str) -> None:
    # Before exec: on cgroup v1 pages stay charged where they were first touched. If it fails the
    # lab finds out by looking, and goes on without.
    try:
        with open(procs, "w") as file:  # noqa: PTH123 - pathlib would double the start-up time
            file.write(str(os.getpid()))
    except OSError as error:
        sys.stderr.write(f"{procs}: {error}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
