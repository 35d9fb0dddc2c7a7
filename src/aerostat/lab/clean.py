"""Puts a host back that a killed lab left behind: techniques, cgroups, files."""

import shutil
import tempfile
from pathlib import Path

from aerostat.host.techniques.kernel import Kernel
from aerostat.lab.directory import OWNER, PREFIX
from aerostat.lab.machine import clean_stale, find_hierarchy
from aerostat.lab.techniques.host_state import lab_undo_log, restore_all
from aerostat.lab.techniques.swap_speed import clean_stale_throttles


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
        clean_stale(hierarchy)
    clean_stale_throttles()
    said += [f"{path} removed" for path in _remove_orphans()]
    return said


def _remove_orphans() -> list[Path]:
    removed = []
    for parent in {Path("/var/tmp"), Path(tempfile.gettempdir())}:  # noqa: S108 # only our own there
        for owner in sorted(parent.glob(f"{PREFIX}*/{OWNER}")):
            text = owner.read_text().strip()
            if text.isdigit() and not Path(f"/proc/{text}").exists():
                shutil.rmtree(owner.parent, ignore_errors=True)
                removed.append(owner.parent)
    return removed
