"""``aerostat admit``: asked before a VM starts or comes from another host."""

import json
from typing import Annotated

import typer

from aerostat.cli.asked import Ca, Daemon, SocketPath, Url
from aerostat.cli.options import Output, OutputFormat


def admit(
    name: Annotated[str, typer.Argument(help="The VM to come: its name, as the host will see it.")],
    size: Annotated[str, typer.Argument(help="What it will hold at the most: 16GiB.")],
    for_: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="Keep it for so long.")
    ] = "5m",
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Ask whether a VM may start or come, and keep its memory for it; exit status 4: it may not."""
    answer = Daemon(socket, url, ca).post("/v1/admit", {"name": name, "size": size, "for": for_})
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(answer, indent=2))
    else:
        typer.echo(answer["detail"])
