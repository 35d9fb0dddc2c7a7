"""``aerostat lab calibrate`` and ``lab validate``: is the simulator true to real guests?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from aerostat.cli.options import Output, OutputFormat
from aerostat.lab.calibration.side_by_side import side_by_side
from aerostat.lab.calibration.validation import (
    Validated,
    misses_of,
    validation_document,
    validation_table,
)
from aerostat.lab.experiment.comparison import ComparisonPlan, shuffled_order
from aerostat.lab.experiment.policies import ARM_POLICIES
from aerostat.lab.experiment.show import show_real, show_simulated
from aerostat.lab.recording import Experiment
from aerostat.lab.schedule_file import load_packaged_schedule, load_schedule, packaged_schedules
from aerostat.present.text import document_text
from aerostat.sim.calibration import (
    CalibrationError,
    Constants,
    calibrated_for,
    read_constants,
    write_constants,
)

SIMULATED_TURNS = 5
"""A simulated run is cheap, and when statistics fall within a second decides much: so often."""

SCHEDULES = ("rotate", "swell")
"""Played where none is named: balloons alone decide them. Others that come along are about what a
host does beside, which the simulated one is not asked to, or last for a quarter of an hour."""


def calibrate_command(
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Rounds of all probes.")] = 3,
    write: Annotated[
        Path | None,
        typer.Option(help="Where to write the constants; ACCELERATOR.toml if not said."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Probe real guests and fit the simulator's constants to them."""
    # Least squares take numpy, which nothing else of the command line needs.
    try:
        from aerostat.lab.calibration.run import calibrate  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise CalibrationError(
            f"{error.name} is missing: pip install '.[sim]' in a checkout"
        ) from error
    console = Console(stderr=True)

    def tell(words: str) -> None:
        if not quiet:
            console.print(words, style="dim")

    done = calibrate(repeats, tell)
    path = write or Path(f"{done.about['accelerator']}.toml")
    write_constants(path, done.constants, done.about)
    Console().print(_constants_table(done.constants, str(done.about["accelerator"])))
    console.print(f"Constants: {path}", style="dim")


def _constants_table(constants: Constants, accelerator: str) -> Table:
    title = f"Fitted to real guests ({accelerator.upper()})"
    table = Table(title=title, title_justify="left")
    table.add_column("constant")
    for name in ("value", "least", "greatest"):
        table.add_column(name, justify="right")
    for name, (least, greatest) in constants.spread.items():
        table.add_row(name, *(f"{n:.4g}" for n in (constants.value(name), least, greatest)))
    return table


def validate_command(
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            help="A schedule file, or one that comes along; may be repeated. "
            f"If not said: {' and '.join(SCHEDULES)}."
        ),
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option(help=f"May be repeated; of {', '.join(ARM_POLICIES)}.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Of every arm.")] = 2,
    constants: Annotated[
        Path | None, typer.Option(help="A file of constants, in place of those that come along.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order in which arms run.")] = 1,
    output: Output = OutputFormat.TABLE,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Play schedules on real guests and in the simulator under the same policy, side by side.

    Ends with exit status 1 where a goal was missed, and says which.
    """
    policies = policy or ["static", "adaptive"]
    if unknown := [name for name in policies if name not in ARM_POLICIES]:
        known = ", ".join(ARM_POLICIES)
        raise typer.BadParameter(f"{unknown[0]!r} is no policy; there are: {known}")
    given = None if constants is None else read_constants(constants)
    console = Console(stderr=True)
    validated: list[Validated] = []
    used = given
    for name in schedule or SCHEDULES:
        plan = _plan(name, policies, repeats, seed)
        real = show_real(plan, console, is_quiet=quiet)
        used = given or calibrated_for(real.accelerator)
        validated.append(_beside(plan, real, used, repeats, console))
    assert used is not None
    if output is OutputFormat.JSON:
        typer.echo(document_text(validation_document(validated, used.source)))
    else:
        out = Console()
        for one in validated:
            out.print(validation_table(one))
        out.print(f"Constants: {used.source}", style="dim")
    end_with(misses_of(validated))


def end_with(misses: Sequence[str]) -> None:
    """Name the goals that were missed, and fail for them.

    Raises:
        Exit: there are any.
    """
    for miss in misses:
        typer.echo(f"missed: {miss}", err=True)
    if misses:
        raise typer.Exit(1)


def _plan(name: str, policies: list[str], repeats: int, seed: int) -> ComparisonPlan:
    packaged = name in packaged_schedules()
    chosen = load_packaged_schedule(name) if packaged else load_schedule(Path(name))
    order = shuffled_order(policies, repeats, seed)
    return ComparisonPlan(name="validate", schedule=chosen, order=order)


def _beside(
    plan: ComparisonPlan, real: Experiment, constants: Constants, repeats: int, console: Console
) -> Validated:
    phases = [(turn + 0.5) / SIMULATED_TURNS for turn in range(SIMULATED_TURNS)]
    simulated = [
        show_simulated(
            plan, console, is_quiet=True, constants=constants, statistics_delay_s=phase_s
        )
        for phase_s in phases
    ]
    return Validated(
        schedule=plan.schedule.name,
        repeats=repeats,
        real=real,
        rows=side_by_side(real, simulated),
    )
