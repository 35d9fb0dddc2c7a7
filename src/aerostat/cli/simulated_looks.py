"""What a simulated host shows to whoever looks closer: its techniques, what a doctor finds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aerostat.cli.examined import examination_document
from aerostat.control.board import Board
from aerostat.doctor.examine import Examination
from aerostat.doctor.finding import Finding, Grade
from aerostat.doctor.held import monitor_of
from aerostat.doctor.promised import promised
from aerostat.doctor.vm_facts import VmFacts
from aerostat.doctor.vm_verdict import VmReport, judge
from aerostat.host.techniques.savings import TechniqueFigures
from aerostat.host.techniques.technique import Saving
from aerostat.model.guest import GuestSnapshot
from aerostat.sim.world import World
from aerostat.units import KIB, format_size


def techniques_in(world: World) -> Mapping[str, TechniqueFigures]:
    """What they save in this world."""
    host = world.host
    memory, merged = host.memory(), host.merged_bytes
    swapped = memory.swap_total_bytes - memory.swap_free_bytes
    none = TechniqueFigures(is_usable=False, words="it is not simulated here", saving=Saving())
    return {
        "swap": TechniqueFigures(
            is_usable=True,
            words=f"simulated: {format_size(memory.swap_free_bytes)} left",
            saving=Saving(
                taken_bytes=swapped,
                held_bytes=0,
                in_bytes=memory.swap_in_bytes,
                out_bytes=memory.swap_out_bytes,
            ),
        ),
        "zswap": none,
        "zram": none,
        "ksm": TechniqueFigures(
            is_usable=host.physics.merge_scan_bytes_per_s > 0,
            words="simulated",
            saving=Saving(taken_bytes=merged, held_bytes=0),
        ),
    }


def examined(world: World, board: Board, scratch: Path) -> dict[str, Any]:
    """What the doctor says of it."""
    memory = world.host.memory()
    root = scratch / "simulated"
    (root / "proc").mkdir(parents=True, exist_ok=True)
    (root / "proc/meminfo").write_text(
        f"MemTotal: {memory.total_bytes // KIB} kB\nMemFree: {memory.free_bytes // KIB} kB\n"
        f"MemAvailable: {memory.available_bytes // KIB} kB\nCached: 0 kB\n"
        f"SwapTotal: {memory.swap_total_bytes // KIB} kB\n"
        f"SwapFree: {memory.swap_free_bytes // KIB} kB\n",
        "utf-8",
    )
    record = board.status.last
    guests = () if record is None else record.snapshot.guests
    vms = tuple(_judged(world, guest) for guest in guests)
    available = memory.available_bytes / memory.total_bytes
    says = (
        f"{format_size(memory.total_bytes)} RAM, {format_size(memory.available_bytes)} "
        f"available ({available:.0%}); simulated"
    )
    swap = f"simulated swap: {format_size(memory.swap_free_bytes)} left"
    host = (
        Finding(check="memory", grade=Grade.GOOD, says=says),
        Finding(check="swap", grade=Grade.GOOD, says=swap),
        *promised(root, vms),
    )
    return examination_document(Examination(host=host, vms=vms))


def _judged(world: World, guest: GuestSnapshot) -> VmReport:
    monitor, simulated = monitor_of(guest), world.guests.get(guest.guest)
    if monitor is not None and monitor.balloon is not None and simulated is not None:
        reports = simulated.build.free_page_reporting
        balloon = replace(monitor.balloon, reports_free_pages=reports)
        monitor = replace(monitor, program="simulated QEMU", balloon=balloon)
    return judge(VmFacts(name=guest.name, monitor=monitor))
