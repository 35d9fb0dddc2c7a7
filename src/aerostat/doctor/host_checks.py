"""Looks at the host: its own shortage, the techniques it could use, and what it promises."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from aerostat.doctor.finding import Finding, Grade
from aerostat.host.activity import probe_activity
from aerostat.host.cgroup import parse_mountinfo
from aerostat.host.meminfo import parse_meminfo
from aerostat.host.proc_text import parse_count, read_count_if_any, read_text_if_any
from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.changes import KSM
from aerostat.host.techniques.host_swap import HostSwap
from aerostat.host.techniques.kernel import Kernel, chosen
from aerostat.host.techniques.ksm import Ksm
from aerostat.host.techniques.technique import Probe
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.zram import Zram
from aerostat.host.techniques.zswap import Zswap
from aerostat.units import GIB, format_size

_THP = "sys/kernel/mm/transparent_hugepage/enabled"
_ARC = "proc/spl/kstat/zfs/arcstats"
_SPARED_SCORE = -500
"""The kernel's OOM killer prefers nearly anybody to a process with this adjustment."""
_ARC_RATIO_MAX = 0.3
"""Of RAM: a ZFS cache that may take more fights the guests for it."""

Check = Callable[[Path], Iterator[Finding]]


def examine_host(root: Path = Path("/")) -> tuple[Finding, ...]:
    """All findings about the host, in the order people want them."""
    return tuple(finding for check in CHECKS for finding in check(root))


def _memory(root: Path) -> Iterator[Finding]:
    text = read_text_if_any(root / "proc/meminfo")
    if text is None:
        yield _unknown("memory", "/proc/meminfo cannot be read")
        return
    memory = parse_meminfo(text)
    ratio = memory.available_bytes / memory.total_bytes
    says = (
        f"{format_size(memory.total_bytes)} RAM, {format_size(memory.available_bytes)} "
        f"available ({ratio:.0%})"
    )
    if ratio < 0.05:
        fix = "start no more VMs; run 'aerostat run --mode enforce' to take idle memory back"
        yield Finding(check="memory", grade=Grade.PROBLEM, says=says, fix=fix)
    else:
        yield _good("memory", says)


def _pressure(root: Path) -> Iterator[Finding]:
    text = read_text_if_any(root / "proc/pressure/memory")
    if text is None:
        says = "the kernel does not tell how long tasks wait for memory (PSI)"
        yield _advice("pressure", says, "boot the host with psi=1")
        return
    waits = next((line for line in text.splitlines() if line.startswith("some")), "")
    average = next((w.partition("=")[2] for w in waits.split() if w.startswith("avg60=")), "?")
    yield _good("pressure", f"PSI is on; tasks waited for memory {average} % of the last minute")


def _techniques(root: Path) -> Iterator[Finding]:
    kernel = Kernel(root)
    log = UndoLog(root / "nonexistent", kernel)
    swap = HostSwap(kernel, log).probe()
    add_swap = _swap_fix(root)
    yield _of_probe("swap", swap, fix=add_swap)
    zswap = "boot the host with a kernel built with CONFIG_ZSWAP" if swap.is_usable else add_swap
    yield _of_probe("zswap", Zswap(kernel, log).probe(), fix=zswap)
    yield _of_probe("zram", Zram(kernel, log).probe(), fix="modprobe zram")
    yield _merging(Ksm(kernel, log).probe(), kernel)


def _swap_fix(root: Path) -> str:
    """A quarter of the RAM, in whole GiB."""
    text = read_text_if_any(root / "proc/meminfo")
    total_bytes = 0 if text is None else parse_meminfo(text).total_bytes
    count = max(1, total_bytes // 4 // GIB) * 1024
    return (
        f"dd if=/dev/zero of=/swapfile bs=1M count={count} && chmod 600 /swapfile && "
        "mkswap /swapfile && swapon /swapfile; for good, in /etc/fstab: "
        "/swapfile none swap sw 0 0"
    )


def _of_probe(check: str, probe: Probe, *, fix: str) -> Finding:
    if probe.is_usable:
        return _good(check, probe.why)
    is_ours = probe.why.endswith("run as root")
    return _advice(check, probe.why, "sudo aerostat doctor" if is_ours else fix)


def _merging(probe: Probe, kernel: Kernel) -> Finding:
    """What merging tells guests of each other has to be known by whoever has it on."""
    if not probe.is_usable or probe.warning is None:
        return _of_probe("ksm", probe, fix="boot the host with a kernel built with CONFIG_KSM")
    if kernel.read_if_any(f"{KSM}/run") != "1":
        return _good("ksm", f"{probe.why}; to be known before: {probe.warning}")
    fix = (
        "leave VMs out that must not share: -machine mem-merge=off (libvirt: <nosharepages/>); "
        f"or part all that is merged, and stop: echo 2 > {KSM}/run"
    )
    return _advice("ksm", f"{probe.why}: {probe.warning}", fix)


def _touched(root: Path) -> Iterator[Finding]:
    """Whether it can be told what VMs touch; with ``ladder.touched_period`` the daemon looks."""
    probe = probe_activity(root)
    yield _good(
        "touched", f"what VMs touch can{'' if probe.is_usable else 'not'} be told: {probe.why}"
    )


def _huge_pages(root: Path) -> Iterator[Finding]:
    mode = chosen(read_text_if_any(root / _THP) or "")
    if mode in ("always", "madvise"):
        says = (
            f"transparent huge pages: {mode}. QEMU asks for them for its guests' memory, so both "
            "are the same here: of what a balloon takes in scattered pages the host has nothing "
            "until the kernel splits the huge pages around them, which it does under memory "
            "pressure. Whole runs of free memory come back at once"
        )
        fix = (
            f"where memory counts more than speed: echo never > /{_THP} before the VMs start; "
            "free page reporting gives back whole runs"
        )
        yield _advice("huge_pages", says, fix)
    elif mode:
        yield _good("huge_pages", f"transparent huge pages: {mode}")


def _cgroups(root: Path) -> Iterator[Finding]:
    hierarchies = parse_mountinfo(read_text_if_any(root / "proc/self/mountinfo") or "")
    with_memory = [
        h
        for h in hierarchies
        if not h.is_v2 or "memory" in _controllers(root, h.mount_point).split()
    ]
    if not with_memory:
        says = "no cgroup counts memory: what a VM really holds is read more slowly (PSS)"
        yield _advice("cgroups", says, "boot the host with cgroup_enable=memory")
        return
    version = "v2" if with_memory[0].is_v2 else "v1"
    yield _good("cgroups", f"memory is counted by cgroup {version} at {with_memory[0].mount_point}")


def _controllers(root: Path, mount_point: str) -> str:
    return read_text_if_any(root / mount_point.lstrip("/") / "cgroup.controllers") or ""


def _overcommit(root: Path) -> Iterator[Finding]:
    mode = read_count_if_any(root / "proc/sys/vm/overcommit_memory")
    if mode == 2:
        says = "vm.overcommit_memory is 2: VMs are refused by their size, whatever they use"
        yield _advice("overcommit", says, "sysctl vm.overcommit_memory=0")
    elif mode is not None:
        swappiness = read_count_if_any(root / "proc/sys/vm/swappiness")
        told = "" if swappiness is None else f", vm.swappiness {swappiness}"
        yield _good("overcommit", f"vm.overcommit_memory is {mode}{told}")


def _arc(root: Path) -> Iterator[Finding]:
    rows = [line.split() for line in (read_text_if_any(root / _ARC) or "").splitlines()]
    sizes = {row[0]: parse_count(row[2]) for row in rows if len(row) == 3}
    most, now = sizes.get("c_max"), sizes.get("size")
    text = read_text_if_any(root / "proc/meminfo")
    if most is None or now is None or text is None:
        return
    says = f"ZFS holds {format_size(now)} of cache and may take {format_size(most)}"
    total_bytes = parse_meminfo(text).total_bytes
    if most > _ARC_RATIO_MAX * total_bytes:
        fix = (
            f"limit it, say to a tenth of the RAM: echo {total_bytes // 10} > "
            "/sys/module/zfs/parameters/zfs_arc_max, and give the host a reserve that covers it"
        )
        yield _advice("zfs_arc", says, fix)
    else:
        yield _good("zfs_arc", says)


def _daemon(root: Path) -> Iterator[Finding]:
    """Whether the balancer itself would outlive a shortage: it must not be killed nor swapped."""
    for directory in sorted((root / "proc").glob("[0-9]*")):
        words = (read_text_if_any(directory / "cmdline") or "").split("\0")
        names = [Path(word).name for word in words[:3]]
        if "aerostat" not in names or "run" not in words:
            continue
        score = read_text_if_any(directory / "oom_score_adj") or "0"
        status = read_text_if_any(directory / "status") or ""
        swapped = parse_kilobytes(status, name="VmSwap") or 0
        pid, adjusted = directory.name, int(score)
        says = f"the daemon runs (process {pid}), with an OOM score adjustment of {adjusted}"
        if adjusted > _SPARED_SCORE:
            fix = (
                f"echo -999 > /proc/{pid}/oom_score_adj; for good: OOMScoreAdjust=-999 in its "
                "unit, as in etc/systemd/aerostat.service"
            )
            yield _advice("daemon", says + ": a shortage may kill it", fix)
        elif swapped:
            fix = "MemorySwapMax=0 in its unit: systemctl edit aerostat"
            yield _advice("daemon", f"{says}; {format_size(swapped)} of it lie in swap", fix)
        else:
            yield _good("daemon", says)
        return
    yield _good("daemon", "no daemon of Aerostat runs here")


def _privilege(_root: Path) -> Iterator[Finding]:
    if os.geteuid() != 0:
        says = "not run as root: other users' VMs and some of the kernel's figures are not seen"
        yield _advice("privilege", says, "sudo aerostat doctor")


CHECKS: tuple[Check, ...] = (
    _memory,
    _pressure,
    _techniques,
    _touched,
    _huge_pages,
    _cgroups,
    _overcommit,
    _arc,
    _daemon,
    _privilege,
)


def _good(check: str, says: str) -> Finding:
    return Finding(check=check, grade=Grade.GOOD, says=says)


def _advice(check: str, says: str, fix: str) -> Finding:
    return Finding(check=check, grade=Grade.ADVICE, says=says, fix=fix)


def _unknown(check: str, says: str) -> Finding:
    return Finding(check=check, grade=Grade.UNKNOWN, says=says)
