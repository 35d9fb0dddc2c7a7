"""``aerostat lab``: experiments on real guests."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from aerostat.cli.demo import present
from aerostat.cli.lab_application import APPLICATIONS, show_application
from aerostat.cli.lab_burst import show_burst
from aerostat.cli.lab_calibrate import calibrate_command, validate_command
from aerostat.cli.lab_mechanism import show_mechanism
from aerostat.cli.lab_shell import shell_command
from aerostat.cli.lab_techniques import present_techniques, show_techniques
from aerostat.cli.options import Output, OutputFormat
from aerostat.lab.application.run import ApplicationPlan
from aerostat.lab.clean import clean_host
from aerostat.lab.experiment.comparison import ComparisonPlan, shuffled_order
from aerostat.lab.experiment.policies import ARM_POLICIES
from aerostat.lab.experiment.show import show_real, show_simulated
from aerostat.lab.schedule import Schedule
from aerostat.lab.schedule_file import load_packaged_schedule, load_schedule, packaged_schedules
from aerostat.lab.techniques.arms import ARM_OF, ARMS
from aerostat.lab.techniques.plan import huge_page_arms, plan_techniques
from aerostat.lab.techniques.swap_speed import SLOW
from aerostat.units import parse_size

QUICK, FULL = 5 / 14, 6 / 14
"""Parts of their length for which profiles play phases: all arms in 6 minutes, or thrice in 25."""
TAKE_BACK_S, QUICK_TAKE_BACK_S = 6.0, 4.0
"""For so long memory that is taken back is watched."""
GIVE_S, QUICK_GIVE_S = 8.0, 4.0
"""And so long a guest has to serve again once it may have it back."""

lab_app = typer.Typer(help="Experiments on real guests.", no_args_is_help=True)


@lab_app.callback()
def _lab() -> None:
    """Experiments on real guests."""


@lab_app.command()
def clean() -> None:
    """Put the host back as it was, after a lab that was killed; safe at any time."""
    said = clean_host()
    for line in said or ["nothing to put back"]:
        typer.echo(line)


@lab_app.command()
def techniques(
    technique: Annotated[
        list[str] | None,
        typer.Option(help=f"May be repeated; of {', '.join(ARM_OF)}. All if not said."),
    ] = None,
    schedule: Annotated[
        str, typer.Option(help="A schedule file, or the name of one that comes along.")
    ] = "freed",
    budget: Annotated[
        str | None, typer.Option(help='Another than the schedule\'s, such as "900MiB".')
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Three repeats of everything, and guests with huge pages."),
    ] = False,
    repeats: Annotated[int | None, typer.Option(min=1, max=50, help="Of every arm.")] = None,
    slow_swap: Annotated[
        bool,
        typer.Option(
            "--slow-swap/--fast-swap",
            help="All swap at 40 MiB/s and 1500 operations/s, or as fast as the disk is.",
        ),
    ] = True,
    seed: Annotated[int, typer.Option(help="Of the order in which arms run.")] = 1,
    output: Output = OutputFormat.TABLE,
    directory: Annotated[Path, typer.Option(help="Where report and result are written.")] = Path(),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Ballooning, swap, compression and deduplication on the same guests and the same memory.

    Switches techniques of this host on and back, so it takes root.
    """
    unknown = [name for name in technique or () if name not in ARM_OF]
    if unknown:
        known = ", ".join(ARM_OF)
        raise typer.BadParameter(f"{unknown[0]!r} is no technique; there are: {known}")
    if not directory.is_dir():
        raise typer.BadParameter(f"{directory} is not a directory", param_hint="--directory")
    chosen = _schedule(schedule, budget)
    arms = [arm for arm in ARMS if technique is None or arm.name in technique]
    times = repeats or (3 if full else 1)
    plan = replace(
        plan_techniques(chosen.scaled(FULL if full else QUICK), arms, times, seed),
        take_backs=times,
        give_s_max=GIVE_S if full else QUICK_GIVE_S,
        on_huge_pages=huge_page_arms(arms, times) if full else (),
        swap_speed=SLOW if slow_swap else None,
        take_back_s=TAKE_BACK_S if full else QUICK_TAKE_BACK_S,
        take_back_kinds=2 if full else 1,
    )
    present_techniques(show_techniques(plan, is_quiet=quiet), output, directory)


@lab_app.command()
def bench(
    policy: Annotated[
        list[str] | None,
        typer.Option(help=f"May be repeated; of {', '.join(ARM_POLICIES)}."),
    ] = None,
    schedule: Annotated[
        str, typer.Option(help="A schedule file, or the name of one that comes along.")
    ] = "rotate",
    budget: Annotated[
        str | None, typer.Option(help='Another than the schedule\'s, such as "1500MiB".')
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=50, help="Of every arm.")] = 3,
    simulated: Annotated[bool, typer.Option("--simulated", help="On simulated guests.")] = False,
    mechanism: Annotated[
        bool,
        typer.Option("--mechanism", help="Instead: what moving a balloon, and the daemon, cost."),
    ] = False,
    burst: Annotated[
        bool,
        typer.Option("--burst", help="Instead: how soon a guest gets memory that suddenly waits."),
    ] = False,
    application: Annotated[
        str | None,
        typer.Option(help=f"Instead of a schedule: load on {' or '.join(APPLICATIONS)} in guests."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order in which arms run.")] = 1,
    output: Output = OutputFormat.TABLE,
    directory: Annotated[Path, typer.Option(help="Where report and result are written.")] = Path(),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Compare policies on the same guests and schedule, arms in shuffled order, repeated."""
    if mechanism:
        show_mechanism(repeats, output, directory, is_quiet=quiet)
        return
    if burst:
        show_burst(repeats, seed, output, directory, is_quiet=quiet)
        return
    policies = policy or ["static", "shares", "threshold", "adaptive", "clairvoyant"]
    unknown = [name for name in policies if name not in ARM_POLICIES]
    if unknown:
        known = ", ".join(ARM_POLICIES)
        raise typer.BadParameter(f"{unknown[0]!r} is no policy; there are: {known}")
    if not directory.is_dir():
        raise typer.BadParameter(f"{directory} is not a directory", param_hint="--directory")
    if application is not None:
        if application not in APPLICATIONS:
            known = ", ".join(APPLICATIONS)
            raise typer.BadParameter(f"{application!r} is not offered; there are: {known}")
        chosen_policies = tuple(policy or ("static", "adaptive"))
        plan_of_it = ApplicationPlan(policies=chosen_policies, repeats=repeats, seed=seed)
        show_application(plan_of_it, output, directory, is_quiet=quiet)
        return
    chosen = _schedule(schedule, budget)
    order = shuffled_order(policies, repeats, seed)
    plan = ComparisonPlan(name="bench", schedule=chosen, order=order, discards_disturbed=True)
    console = Console(stderr=True)
    show = show_simulated if simulated else show_real
    present(show(plan, console, is_quiet=quiet), output, directory, console)


def _schedule(name: str, budget: str | None) -> Schedule:
    packaged = name in packaged_schedules()
    schedule = load_packaged_schedule(name) if packaged else load_schedule(Path(name))
    if budget is None:
        return schedule
    try:
        size_bytes = parse_size(budget)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--budget") from error
    ram_bytes = sum(guest.ram_bytes for guest in schedule.guests)
    if not 0 < size_bytes <= ram_bytes:
        message = f"{budget} is not within the RAM of all guests together: write up to {ram_bytes}"
        raise typer.BadParameter(message, param_hint="--budget")
    return replace(schedule, budget_bytes=size_bytes)


lab_app.command("calibrate")(calibrate_command)
lab_app.command("validate")(validate_command)
lab_app.command("shell")(shell_command)
