"""What Proxmox VE says of a VM on this host, by the VM's configuration file there.

``pvestatd`` moves the balloon of every VM that has a ``balloon`` minimum below its memory, unless
its ``shares`` are 0. Two balancers on one balloon fight, so such a VM is left to Proxmox until it
is handed over. Source: pve-docs, qm(1), and pvestatd.pm of pve-manager.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path

from aerostat.host.proc_text import read_text_if_any
from aerostat.host.qemu_command_line import value_of
from aerostat.host.qemu_processes import read_arguments
from aerostat.ports.custody import Custody, Lock

_AGE_S_MAX = 5.0  # the files are on a cluster's file system: each reading costs a message
_SHARES = 1000  # Proxmox's default
_MEMORY_MIB = 512  # its default, too
_BETWEEN_TAGS = re.compile(r"[;,\s]+")
_SAVING = frozenset(
    {"migrate", "snapshot", "snapshot-delete", "rollback", "suspending", "suspended"}
)


class ProxmoxCustody:
    """Reads, at most every few seconds, what Proxmox says of the VM of a process."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._known: dict[int, tuple[float, Custody | None]] = {}

    def read(self, pid: int) -> Custody | None:
        """The custody of that process's VM; None: it is not one of Proxmox's."""
        now_s = time.monotonic()
        known = self._known.get(pid)
        if known is None or now_s - known[0] > _AGE_S_MAX:
            known = (now_s, self._look(pid))
            self._known = {p: k for p, k in self._known.items() if now_s - k[0] <= 2 * _AGE_S_MAX}
            self._known[pid] = known
        return known[1]

    def _look(self, pid: int) -> Custody | None:
        vm = value_of(read_arguments(self._root / "proc" / str(pid)), "-id")
        if vm is None or not vm.isdecimal():
            return None
        text = read_text_if_any(self._root / f"etc/pve/qemu-server/{vm}.conf")
        return _unreadable(vm) if text is None else custody_of(vm, text)


def _unreadable(vm: str) -> Custody:
    """Of a VM whose file is not there: it is just coming from another node, or nobody can tell."""
    return Custody(
        number=vm,
        rival=f"nobody can tell whether Proxmox balances it (no /etc/pve/qemu-server/{vm}.conf)",
        handover="that file comes with a VM that migrates; else systemctl start pve-cluster",
    )


def custody_of(vm: str, text: str) -> Custody:
    """Read a VM's configuration.

    Args:
        vm: its number.
        text: of its file; sections in brackets are its snapshots.
    """
    settings = _settings(text)
    lock = settings.get("lock", "")
    memory_mib = _whole(settings.get("memory", ""), _MEMORY_MIB)
    least_mib = _whole(settings.get("balloon", ""), memory_mib)
    shares = _whole(settings.get("shares", ""), _SHARES)
    rival, handover = None, None
    if 0 < least_mib < memory_mib and shares > 0:
        rival = f"Proxmox balances it (balloon: {least_mib}, shares: {shares})"
        handover = f"qm set {vm} --shares 0"
    return Custody(
        number=vm,
        tags=tuple(tag for tag in _BETWEEN_TAGS.split(settings.get("tags", "")) if tag),
        rival=rival,
        handover=handover,
        lock=Lock.BACKUP if lock == "backup" else Lock.TRANSIT if lock in _SAVING else Lock.NONE,
    )


def _settings(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("["):
            break
        key, is_pair, value = line.partition(":")
        if is_pair and not line.startswith("#"):
            found[key.strip()] = value.strip()
    return found


def _whole(text: str, otherwise: int) -> int:
    first = text.partition(",")[0].removeprefix("current=")  # as Proxmox 8 may write memory
    return int(first) if first.isdecimal() else otherwise
