"""Runs a comparison from boot to result, on real guests or on simulated ones."""

import asyncio
import shutil

from rich.console import Console

from aerostat.lab.experiment.booting import BootProgress
from aerostat.lab.experiment.comparison import Comparison, ComparisonPlan
from aerostat.lab.experiment.controller import TaskController, ThreadController
from aerostat.lab.experiment.policies import UNCONSTRAINED, arm_params
from aerostat.lab.experiment.real_fleet import RealFleet
from aerostat.lab.experiment.simulated_fleet import SimulatedFleet
from aerostat.lab.live import View, open_view
from aerostat.lab.machine.command import QEMU
from aerostat.lab.recording import Experiment
from aerostat.sim.calibration import UNCALIBRATED, Constants
from aerostat.sim.virtual_time import run_simulated

SIMULATED_PACE = 8.0
"""Virtual seconds a second, when somebody watches simulated guests."""


def has_qemu() -> bool:
    """Whether real guests can be had here."""
    return shutil.which(QEMU) is not None


def show_real(plan: ComparisonPlan, console: Console, *, is_quiet: bool = False) -> Experiment:
    """Boot real guests and run the plan on them.

    Raises:
        AerostatError: guests cannot be had, with what to do about it.
    """
    return asyncio.run(_real(plan, open_view(console, is_quiet=is_quiet)))


async def _real(plan: ComparisonPlan, view: View) -> Experiment:
    with view:
        boot = BootProgress(view.show)
        showing = asyncio.create_task(boot.show())
        try:
            async with RealFleet(plan.schedule, boot.tell) as fleet:
                controller = ThreadController(fleet, arm_params(UNCONSTRAINED, plan.schedule))
                await controller.start()
                try:
                    showing.cancel()
                    comparison = Comparison(plan, fleet, controller, view.show, boot.elapsed_s)
                    return await comparison.run()
                finally:
                    await controller.stop()
        finally:
            showing.cancel()


def show_simulated(
    plan: ComparisonPlan,
    console: Console,
    *,
    is_quiet: bool = False,
    constants: Constants = UNCALIBRATED,
    statistics_delay_s: float | None = None,
) -> Experiment:
    """Run the plan on simulated guests: faster than life, and at once where nobody watches."""
    view = open_view(console, is_quiet=is_quiet)
    pace = SIMULATED_PACE if console.is_terminal and not is_quiet else None
    fleet = SimulatedFleet(plan.schedule, constants, statistics_delay_s=statistics_delay_s)
    return run_simulated(_simulated(plan, view, fleet), pace=pace)


async def _simulated(plan: ComparisonPlan, view: View, simulated: SimulatedFleet) -> Experiment:
    with view:
        async with simulated as fleet:
            controller = TaskController(fleet, arm_params(UNCONSTRAINED, plan.schedule))
            await controller.start()
            try:
                return await Comparison(plan, fleet, controller, view.show).run()
            finally:
                await controller.stop()
