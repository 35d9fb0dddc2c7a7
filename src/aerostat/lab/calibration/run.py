"""Runs a calibration: rounds of probes on real guests, a fit for each, and their median."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aerostat.lab.calibration.fitting import Fit, fit_round, together
from aerostat.lab.calibration.play import ProbeError, play_real
from aerostat.lab.calibration.probe import PROBES, Probe, ProbeRecord
from aerostat.lab.experiment.real_fleet import RealFleet
from aerostat.sim.calibration import UNCALIBRATED, Constants

WAITED_RATIO_MAX = 0.4
"""Seconds that QEMU's threads waited for a processor, all together, over the time of a probe."""
_TRIES = 3

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Fitted constants, what they were fitted on, and how well each round could be met."""

    constants: Constants
    about: Mapping[str, str | int | float]
    rounds: tuple[Fit, ...]


def calibrate(repeats: int, on_progress: OnProgress) -> Calibration:
    """Probe real guests and fit; takes some three minutes a repeat, and half of that to fit.

    Raises:
        AerostatError: guests cannot be had, or one died; the message says what to do.
    """
    rounds: list[Fit] = []
    waited: list[float] = []
    about: Mapping[str, str | int | float] = {}
    for repeat in range(1, repeats + 1):

        def tell(words: str, of: str = f"round {repeat} of {repeats}: ") -> None:
            on_progress(of + words)

        records, about = asyncio.run(_probe(tell))
        waited.append(max(record.waited_ratio for record in records))
        rounds.append(fit_round(records, UNCALIBRATED, tell))
    quality = {
        "repeats": repeats,
        "waited_ratio": round(max(waited), 3),
        "left_over": round(max(fit.left for fit in rounds), 4),
    }
    return Calibration(
        constants=together(rounds, UNCALIBRATED), about={**about, **quality}, rounds=tuple(rounds)
    )


async def _probe(
    on_progress: OnProgress,
) -> tuple[list[ProbeRecord], Mapping[str, str | int | float]]:
    records: list[ProbeRecord] = []
    about: dict[str, str | int | float] = {}
    load = os.getloadavg()[0]
    for probe in PROBES:
        record, fleet = await _undisturbed(probe, on_progress)
        records.append(record)
        machine = fleet.machine
        about = {
            "accelerator": fleet.accelerator,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{machine['cores']} cores, Linux {machine['kernel']}",
            "hypervisor": str(machine["hypervisor"]),
            "guest_kernel": str(machine["guest_kernel"]),
            "load_before": round(load, 2),  # of the last minute, by others
        }
    return records, about


async def _undisturbed(probe: Probe, on_progress: OnProgress) -> tuple[ProbeRecord, RealFleet]:
    """Play a probe until others have left it enough of the machine."""
    waited = []
    for _ in range(_TRIES):
        record, fleet = await play_real(probe, on_progress)
        if record.waited_ratio <= WAITED_RATIO_MAX:
            return record, fleet
        waited.append(record.waited_ratio)
        on_progress(f"{probe.name} is void: other load took {record.waited_ratio:.0%} of its time")
    raise ProbeError(
        f"other load on this machine took {min(waited):.0%} of the guest's time and more in "
        f"{_TRIES} tries of probe {probe.name}; at most {WAITED_RATIO_MAX:.0%} can be borne: "
        "run it when the machine is quiet"
    )
