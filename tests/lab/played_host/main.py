"""What is done inside the guest that plays a host: the real adapters on real memory.

Every act prints one line of JSON with what it saw; whoever started the guest judges it.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aerostat.host.activity import ActivitySampler, Touched
from aerostat.host.cgroup import CgroupReader
from aerostat.host.damon import ADMIN, Damon, probe_damon
from aerostat.host.techniques.host_swap import HostSwap
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.ksm import Ksm, KsmState, read_merged
from aerostat.host.techniques.managed import (
    CompressWith,
    ManagedTechniques,
    TechniqueSettings,
    put_back_all,
)
from aerostat.host.techniques.page_out import PageOut
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_limit import LimitState, VmLimit
from aerostat.host.techniques.vm_reclaim import ReclaimState, VmReclaim
from aerostat.host.techniques.zswap import KNOBS as ZSWAP_KNOBS
from aerostat.host.techniques.zswap import Zswap, ZswapState
from aerostat.model.guest import GuestId
from aerostat.model.host_state import LadderStep
from aerostat.model.techniques import HostTake, Spared
from aerostat.units import MIB

VMS = Path("/sys/fs/cgroup/vms")
LOG = Path("/tmp/undo.json")
KERNEL = Kernel()
PATIENCE_S = 60.0
GROUP_KNOBS = (
    *("memory.high", "memory.max", "memory.swap.max", "memory.zswap.max"),
    "memory.zswap.writeback",
)
KSM = "/sys/kernel/mm/ksm"

Seen = dict[str, Any]


@contextmanager
def holder(
    name: str, *, kind: str = "own", held: int = 96, hot: int = 0, filled: str = "half"
) -> Iterator[tuple[Path, int]]:
    """A process that holds so many MiB in a cgroup of its own: the group, and its process."""
    group = VMS / name
    group.mkdir()
    arguments = [str(group), kind, str(held), str(hot), filled]
    command = [sys.executable, "-S", "holder.py", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holds\n"
            yield group, process.pid
        finally:
            process.kill()
            process.wait()
            until(lambda: _removed(group))


def _removed(group: Path) -> bool:
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


def until(is_so: Callable[[], object], patience_s: float = PATIENCE_S) -> bool:
    give_up_s = time.monotonic() + patience_s
    while time.monotonic() < give_up_s:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def count(group: Path, name: str) -> int:
    return int((group / name).read_text())


def stat(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    raise KeyError(name)


def knobs(group: Path) -> Seen:
    return {name: (group / name).read_text().strip() for name in GROUP_KNOBS}


def host_knobs() -> Seen:
    names = [
        *(f"{KSM}/{n}" for n in ("run", "pages_to_scan", "sleep_millisecs", "advisor_mode")),
        *ZSWAP_KNOBS,
        f"{ADMIN}/nr_kdamonds",
    ]
    found: Seen = {name: KERNEL.read_if_any(name) for name in names}
    found["swaps"] = sorted(swap.device for swap in read_swaps(KERNEL))
    return found


def fresh_log() -> UndoLog:
    return UndoLog(LOG, KERNEL)


def facts() -> Seen:
    return {
        "kernel": os.uname().release,
        "controllers": Path("/sys/fs/cgroup/cgroup.controllers").read_text().split(),
        "damon": probe_damon().why,
    }


def reclaim() -> Seen:
    with holder("reclaim") as (group, pid):
        groups = CgroupReader(now_s=time.monotonic).groups(pid)
        before = count(group, "memory.current")
        assert groups.charge is not None
        technique = VmReclaim(KERNEL, fresh_log(), groups.charge, is_v2=groups.is_v2)
        probe = technique.probe()
        technique.apply(ReclaimState(take_bytes=48 * MIB))
        assert technique.last is not None
        return {
            "group_found": str(groups.charge),
            "why": probe.why,
            "before": before,
            "after": count(group, "memory.current"),
            "taken": technique.last.taken_bytes,
            "took_s": technique.last.took_s,
            "swapped": technique.read().taken_bytes,
            "knobs": knobs(group),
        }


def high() -> Seen:
    with holder("high", held=160) as (group, _):
        log = fresh_log()
        limit = VmLimit(KERNEL, log, group, is_v2=True)
        known, before = knobs(group), count(group, "memory.current")
        limit.apply(LimitState(soft_bytes=before - 64 * MIB))
        seen = {
            "why": limit.probe().why,
            "before": before,
            "after": count(group, "memory.current"),
            "limit": KERNEL.read(str(group / "memory.high")),
            "swapped": limit.read().taken_bytes,
        }
        remarks = limit.restore()
        return {**seen, "remarks": remarks, "is_restored": knobs(group) == known}


def without_reclaim() -> Seen:
    """As a kernel before 5.19 would do it: by ``memory.high``, lowered and lifted."""

    class Older(Kernel):
        def path(self, name: str) -> Path:
            return super().path(name.replace("memory.reclaim", "memory.none"))

    with holder("older") as (group, _):
        older = Older()
        technique = VmReclaim(older, UndoLog(LOG, older), group, is_v2=True)
        before, known = count(group, "memory.current"), knobs(group)
        technique.apply(ReclaimState(take_bytes=48 * MIB))
        return {
            "why": technique.probe().why,
            "before": before,
            "after": count(group, "memory.current"),
            "is_restored": knobs(group) == known,
        }


def spared(on: tuple[LadderStep, ...], exempt: LadderStep, filled: str = "half") -> Seen:
    """A VM exempt from one step, on a host with others on; 48 MiB are to be taken of it."""
    with holder("spared", filled=filled) as (group, pid):
        known, before_host = knobs(group), host_knobs()
        log = fresh_log()
        managed = ManagedTechniques(KERNEL, log, TechniqueSettings())
        dear = [Spared(name="dear", pid=pid, steps=(exempt,))]
        for step in on:
            asyncio.run(managed.switch_on(step, dear))
        seen: Seen = {"knobs": knobs(group)}
        disk_before = stat(Path("/proc/vmstat"), "pswpout")
        before = count(group, "memory.current")
        technique = VmReclaim(KERNEL, log, group, is_v2=True)
        technique.apply(ReclaimState(take_bytes=48 * MIB))
        seen |= {
            "taken": before - count(group, "memory.current"),
            "to_disk": (stat(Path("/proc/vmstat"), "pswpout") - disk_before) * 4096,
            "in_pool": count(group, "memory.zswap.current"),
            "swapped": count(group, "memory.swap.current"),
        }
        remarks = [r for step in reversed(on) for r in asyncio.run(managed.put_back(step))]
        is_restored = knobs(group) == known and host_knobs() == before_host
        return {**seen, "remarks": remarks, "is_restored": is_restored}


def exempt_from_swap() -> Seen:
    return spared((LadderStep.SWAP,), LadderStep.SWAP)


def exempt_from_swap_alone() -> Seen:
    return spared((LadderStep.COMPRESS, LadderStep.SWAP), LadderStep.SWAP)


def exempt_from_compression_alone() -> Seen:
    return spared((LadderStep.COMPRESS, LadderStep.SWAP), LadderStep.COMPRESS)


def zswap() -> Seen:
    with holder("zswap") as (group, _):
        log, before = fresh_log(), host_knobs()
        technique = Zswap(KERNEL, log)
        why = technique.probe().why
        technique.apply(ZswapState(pool_ratio_max=0.3))
        held = count(group, "memory.current")
        taker = VmReclaim(KERNEL, log, group, is_v2=True)
        taker.apply(ReclaimState(take_bytes=32 * MIB))
        saving, of_vm = technique.read(), taker.read()
        seen = {
            "why": why,
            "taken": held - count(group, "memory.current"),
            "stored": saving.taken_bytes,
            "pool": saving.held_bytes,
            "pool_of_vm": of_vm.held_bytes,
        }
        remarks = technique.restore()
        return {**seen, "remarks": remarks, "is_restored": host_knobs() == before}


def zram() -> Seen:
    """What zram's pool takes is nobody's charge: it has to be deducted of what a take brought."""
    with holder("zram") as (group, pid):
        before = host_knobs()
        settings = TechniqueSettings(compress_with=CompressWith.ZRAM)
        managed = ManagedTechniques(KERNEL, fresh_log(), settings)
        words = asyncio.run(managed.switch_on(LadderStep.COMPRESS, []))
        held = count(group, "memory.current")
        order = HostTake(
            guest=GuestId("vm"), pid=pid, size_bytes=48 * MIB, step=LadderStep.COMPRESS
        )
        taken = asyncio.run(managed.take(order))
        seen = {
            "words": words,
            "fell": held - count(group, "memory.current"),
            "taken": taken.taken_bytes,
            "how": taken.how,
        }
        remarks = asyncio.run(managed.put_back(LadderStep.COMPRESS))
        return {**seen, "remarks": remarks, "is_restored": host_knobs() == before}


def paged_out(kind: str, *, compressed: bool) -> Seen:
    """By address, of a VM that has a cgroup here only to be judged by."""
    with holder("paged", kind=kind) as (group, pid):
        technique = PageOut(KERNEL, pid)
        zswap_on = Zswap(KERNEL, fresh_log())
        if compressed:
            zswap_on.apply(ZswapState(pool_ratio_max=0.3))
        resident = resident_bytes(pid)
        before = count(group, "memory.current")
        why = technique.probe().why
        technique.apply(ReclaimState(take_bytes=48 * MIB))
        assert technique.last is not None
        seen = {
            "why": why,
            "before": before,
            "after": count(group, "memory.current"),
            "pool": count(group, "memory.zswap.current"),
            "unmapped": resident - resident_bytes(pid),
            "taken": technique.last.taken_bytes,
            "swapped": technique.read().taken_bytes,
        }
        return {**seen, "remarks": zswap_on.restore()}


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def page_out() -> Seen:
    return paged_out("own", compressed=True)


def page_out_of_shared_memory() -> Seen:
    return paged_out("shared", compressed=True)


def page_out_to_the_disk() -> Seen:
    return paged_out("own", compressed=False)


def merged_bytes(pid: int) -> int:
    return read_merged(KERNEL, pid).merged_bytes or 0


def merged() -> Seen:
    with (
        holder("one", kind="mergeable", held=32) as (group, pid),
        holder("two", kind="mergeable", held=32) as (_, other),
    ):
        before, log = host_knobs(), fresh_log()
        technique = Ksm(KERNEL, log)
        held = count(group, "memory.current")
        probe = technique.probe()
        technique.apply(KsmState(scan_time_s=5, sleep_ms=1))
        on = host_knobs()
        found = until(lambda: min(merged_bytes(pid), merged_bytes(other)) > 28 * MIB)
        of_vm, saving = read_merged(KERNEL, pid), technique.read()
        seen = {
            "why": probe.why,
            "warning": probe.warning,
            "advisor": on[f"{KSM}/advisor_mode"],
            "found": found,
            "merged": of_vm.merged_bytes,
            "profit": of_vm.profit_bytes,
            "saved": saving.saved_bytes,
            "cpu_s": saving.cpu_s,
            "held": held,
            "held_then": count(group, "memory.current"),
        }
        remarks = technique.restore()
        seen["shared_afterwards"] = int(KERNEL.read(f"{KSM}/pages_shared"))
        return {**seen, "remarks": remarks, "is_restored": host_knobs() == before}


def touched() -> Seen:
    """What DAMON says of a process that goes on touching a quarter of what it holds."""
    before = host_knobs()
    with holder("damon", held=128, hot=32) as (_, pid):
        sampler = ActivitySampler(now_s=time.monotonic, period_s=12.0)
        looks: list[Touched] = []

        def looked() -> bool:
            found = sampler.last(pid)
            if found is not None and found not in looks:
                looks.append(found)
            return len(looks) == 2

        until(looked)
        monitors = KERNEL.read(f"{ADMIN}/nr_kdamonds")
        sampler.close()
    return {
        "touched": [look.touched_bytes for look in looks],
        "how": [look.how for look in looks],
        "span_s": [look.span_s for look in looks],
        "cost_s": [look.cost_s for look in looks],
        "monitors": monitors,
        "is_restored": host_knobs() == before,
    }


DIE = """
import os, signal, sys, time
from aerostat.host.damon import Damon
damon = Damon(window_s=6.0)
damon.open()
damon.watch(int(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def damon_after_a_kill() -> Seen:
    with holder("left", held=16) as (_, pid):
        done = subprocess.run([sys.executable, "-S", "-c", DIE, str(pid)], check=False)
        left, state = KERNEL.read(f"{ADMIN}/nr_kdamonds"), KERNEL.read(f"{ADMIN}/0/state")
        after = Damon(window_s=6.0)
        after.open()
        after.close()
        ended = KERNEL.read(f"{ADMIN}/nr_kdamonds")
        KERNEL.write(f"{ADMIN}/nr_kdamonds", "1")
        others = probe_damon()
        KERNEL.write(f"{ADMIN}/nr_kdamonds", "0")
    return {
        "signal": -done.returncode,
        "left": left,
        "state": state,
        "ended": ended,
        "others_usable": others.is_usable,
        "others_why": others.why,
    }


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.managed import ManagedTechniques, TechniqueSettings
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_limit import LimitState, VmLimit
from aerostat.model.host_state import LadderStep
from aerostat.model.techniques import Spared
kernel = Kernel()
log = UndoLog(Path("/tmp/undo.json"), kernel)
managed = ManagedTechniques(kernel, log, TechniqueSettings())
dear = [Spared(name="dear", pid=int(sys.argv[1]), steps=(LadderStep.SWAP,))]
for step in (LadderStep.COMPRESS, LadderStep.SWAP, LadderStep.MERGE):
    asyncio.run(managed.switch_on(step, dear))
VmLimit(kernel, log, Path(sys.argv[2]), is_v2=True).apply(LimitState(soft_bytes=80 << 20))
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_half_way() -> Seen:
    """Everything is switched on by a process that is killed; who comes after puts it back."""
    with holder("killed") as (group, pid):
        known, before = knobs(group), host_knobs()
        arguments = [sys.executable, "-S", "-c", KILLED, str(pid), str(group)]
        done = subprocess.run(arguments, check=False)
        was_changed = {
            "group": {k: v for k, v in knobs(group).items() if v != known[k]},
            "host": sorted(k for k, v in host_knobs().items() if v != before[k]),
        }
        remarks = put_back_all(KERNEL, fresh_log())
        return {
            "signal": -done.returncode,
            "was_changed": was_changed,
            "remarks": remarks,
            "is_restored": knobs(group) == known and host_knobs() == before,
        }


ACTS = (
    facts,
    reclaim,
    high,
    without_reclaim,
    exempt_from_swap,
    zswap,
    exempt_from_swap_alone,
    exempt_from_compression_alone,
    zram,
    page_out,
    page_out_of_shared_memory,
    page_out_to_the_disk,
    merged,
    touched,
    damon_after_a_kill,
    killed_half_way,
)


def prepare() -> None:
    """As an init system leaves a host: controllers on, and the swap disk in use."""
    tools = Path("/tmp/bin")
    tools.mkdir()
    swapon = tools / "swapon"
    swapon.write_text(f'#!/bin/sh\nexec {sys.executable} -S {Path("swapon.py").resolve()} "$@"\n')
    swapon.chmod(0o755)
    os.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
    for group in (VMS.parent, VMS):
        group.mkdir(exist_ok=True)
        (group / "cgroup.subtree_control").write_text("+memory +io")
    subprocess.run(["mkswap", "/dev/vda"], check=True, stdout=subprocess.DEVNULL)
    changes = HostSwap(KERNEL, UndoLog(Path("/tmp/of-the-host.json"), KERNEL))
    changes._changes.swap_on("/dev/vda", priority=1)


def main() -> None:
    signal.alarm(300)
    prepare()
    for act in ACTS:
        began_s = time.monotonic()
        try:
            seen = act()
        except Exception:  # noqa: BLE001 - told, and the next act is played
            seen = {"failed": traceback.format_exc()}
        line = {"act": act.__name__, "s": round(time.monotonic() - began_s, 2), **seen}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
