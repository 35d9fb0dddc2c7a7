"""Puts a host back that a killed lab left behind: techniques, cgroups, files."""

import contextlib
import shutil
import tempfile
import time
from pathlib import Path

from aerostat.host.techniques.kernel import Kernel
from aerostat.lab.directory import OWNER, PREFIX
from aerostat.lab.machine import Hierarchy, clean_stale, find_hierarchy
from aerostat.lab.techniques.host_state import lab_undo_log, restore_all
from aerostat.lab.techniques.swap_speed import clean_stale_throttles

BUSY_S = 5.0
"""So long a group is waited for whose processes are on their way out."""
_AGAIN_S = 0.1


def clean_host() -> list[str]:
    """Put everything back; in words what was done, and what could not be.

    Raises:
        TechniqueError: another lab is running, or what to put back cannot be understood.
    """
    kernel = Kernel()
    log = lab_undo_log(kernel)
    with log.held():
        pending = len(log.pending())
        said = restore_all(kernel, log)
        undone = pending - len(log.pending())
    if undone:
        said.append(f"{undone} change{'s' if undone != 1 else ''} to the host put back")
    hierarchy = find_hierarchy()
    if not isinstance(hierarchy, str):
        said += remove_groups(hierarchy, patience_s=BUSY_S)
    clean_stale_throttles()
    said += [f"{path} removed" for path in _remove_orphans()]
    return said


def remove_groups(hierarchy: Hierarchy, *, patience_s: float) -> list[str]:
    """Remove the groups of labs that are gone; in words what is still busy after so long."""
    give_up_s = time.monotonic() + patience_s
    while (left := clean_stale(hierarchy)) and time.monotonic() < give_up_s:
        time.sleep(_AGAIN_S)
    return [f"{path} could not be removed: {_who_is_in(path)}" for path in left]


def _who_is_in(group: Path) -> str:
    """Processes that are still in a group or below it."""
    found: set[str] = set()
    for file in group.glob("**/cgroup.procs"):
        with contextlib.suppress(OSError):
            found.update(file.read_text().split())
    if not found:
        return "the kernel still holds it; try again"
    return f"in it are processes {', '.join(sorted(found, key=int))}"


def _remove_orphans() -> list[Path]:
    removed = []
    for parent in {Path("/var/tmp"), Path(tempfile.gettempdir())}:  # noqa: S108 # only our own there
        for owner in sorted(parent.glob(f"{PREFIX}*/{OWNER}")):
            text = owner.read_text().strip()
            if text.isdigit() and not Path(f"/proc/{text}").exists():
                shutil.rmtree(owner.parent, ignore_errors=True)
                removed.append(owner.parent)
    return removed
