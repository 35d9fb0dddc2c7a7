"""``aerostat lab shell``: one guest of the lab, and a shell in it."""

import asyncio
from typing import Annotated

import typer

from aerostat.lab.machine import MachineSpec, WorkloadSpec
from aerostat.lab.machine.spec import SwapKind
from aerostat.lab.shell import sit_at_shell
from aerostat.units import MIB, parse_size

NAME = "shell"
SWAPS: tuple[SwapKind, ...] = ("none", "vda", "zram")


def shell_command(
    memory: Annotated[str, typer.Option(help="Its RAM.")] = "512MiB",
    swap: Annotated[str, typer.Option(help=f"Where it swaps: {', '.join(SWAPS)}.")] = "vda",
    swap_size: Annotated[str, typer.Option(help="How much of it.")] = "512MiB",
    hot: Annotated[str, typer.Option(help="What a workload in it touches all the time.")] = "0B",
    balloon: Annotated[
        bool, typer.Option("--balloon/--no-balloon", help="With a balloon device.")
    ] = True,
    driver: Annotated[
        bool, typer.Option("--driver/--no-driver", help="With its driver loaded in the guest.")
    ] = True,
    deflate_on_oom: Annotated[
        bool,
        typer.Option(
            "--deflate-on-oom/--no-deflate-on-oom", help="The balloon lets go when it is short."
        ),
    ] = True,
    reporting: Annotated[
        bool, typer.Option("--reporting/--no-reporting", help="With free page reporting.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The shell, and no word else.")] = (
        False
    ),
) -> None:
    """Boot one guest of the lab and sit at a shell in it; exit, or Ctrl-], ends it.

    Its QMP socket is told, so that a daemon beside it can balance it: aerostat run --qmp SOCKET.
    """
    spec = _spec(
        memory,
        swap,
        swap_size,
        hot,
        has_balloon=balloon,
        balloon_driver="loaded" if driver else "absent",
        deflate_on_oom=deflate_on_oom,
        free_page_reporting=reporting,
    )

    def tell(words: str) -> None:
        if not quiet:
            typer.echo(f"... {words}", err=True)

    asyncio.run(sit_at_shell(spec, tell))


def _spec(memory: str, swap: str, swap_size: str, hot: str, **more: object) -> MachineSpec:
    chosen = next((one for one in SWAPS if one == swap), None)
    if chosen is None:
        raise typer.BadParameter(f"{swap!r} is none of {', '.join(SWAPS)}", param_hint="--swap")
    try:
        return MachineSpec(
            name=NAME,
            ram_bytes=_size(memory, "--memory"),
            swap=chosen,
            swap_bytes=_size(swap_size, "--swap-size"),
            workload=WorkloadSpec(hot_bytes=_size(hot, "--hot"), rate=100 if hot != "0B" else 0),
            **more,  # type: ignore[arg-type] # options of the verb, by their own names
        )
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--memory") from error


def _size(text: str, option: str) -> int:
    try:
        return parse_size(text) // MIB * MIB
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
