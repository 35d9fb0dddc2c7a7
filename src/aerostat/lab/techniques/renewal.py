"""Between arms: what a guest swapped itself in one arm is not read back at another's cost.

Cold memory stays in a guest's swap until somebody touches it, which would be the next arm. Such
guests let go of everything, and are big once again, with all their memory.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from aerostat.lab.experiment.real_fleet import RealFleet
from aerostat.lab.recording import WorkloadSample
from aerostat.lab.schedule import GuestPlan, Schedule
from aerostat.units import MIB

SWAPPED_BYTES_MAX = 8 * MIB
"""So little in a guest's swap is left there: its system's own, mostly."""
WAIT_S_MAX = 15.0
HURRY = 4
FILL_RATIO = 0.9
LOOK_S = 0.05


async def renew_swapped(fleet: RealFleet, schedule: Schedule) -> Sequence[str]:
    """Renew the guests that have memory in their own swap; returns who they were."""
    well = [guest for guest in schedule.guests if fleet.trouble(guest.name) is None]
    swapped = [g for g in well if _swapped_bytes(fleet.latest(g.name)) > 0]
    await asyncio.gather(*(_renew(fleet, schedule, guest) for guest in swapped))
    return [guest.name for guest in swapped]


async def _renew(fleet: RealFleet, schedule: Schedule, guest: GuestPlan) -> None:
    name = guest.name
    fleet.order(name, "keep", "release")
    fleet.set_hot(name, 0)
    await _until(fleet, name, lambda sample: _swapped_bytes(sample) == 0)
    fleet.order(name, "keep", guest.keep)
    await _fill(fleet, schedule, guest)


async def fill_once(fleet: RealFleet, schedule: Schedule) -> None:
    """Every guest big once, all at the same time, and then as small as it ever is."""
    await asyncio.gather(*(_fill(fleet, schedule, guest) for guest in schedule.guests))


async def _fill(fleet: RealFleet, schedule: Schedule, guest: GuestPlan) -> None:
    name = guest.name
    sizes = sorted(phase.hot_bytes[name] for phase in schedule.phases)
    fleet.order(name, "rate", HURRY * schedule.rate)
    fleet.set_hot(name, sizes[-1])
    await _until(fleet, name, lambda sample: sample.heap_bytes >= FILL_RATIO * sizes[-1])
    fleet.order(name, "rate", schedule.rate)
    fleet.set_hot(name, sizes[0])


async def _until(fleet: RealFleet, guest: str, condition: Callable[[WorkloadSample], bool]) -> None:
    """Wait for a condition, or for so long; the arm will show what came of it."""
    give_up_s = time.monotonic() + WAIT_S_MAX
    while time.monotonic() < give_up_s:
        sample = fleet.latest(guest)
        if sample is not None and condition(sample):
            return
        await asyncio.sleep(LOOK_S)


def _swapped_bytes(sample: WorkloadSample | None) -> int:
    """What lies in a guest's swap, beyond what is left there."""
    if sample is None:
        return 0
    return max(0, sample.swap_total_bytes - sample.swap_free_bytes - SWAPPED_BYTES_MAX)
