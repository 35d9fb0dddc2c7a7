"""``aerostat top``: the running daemon's picture, live in a terminal."""

import sys
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.console import Console

from aerostat.cli.asked import Ca, Daemon, SocketPath, Url

Demo = Annotated[
    bool, typer.Option("--demo", help="Simulated guests in place of a daemon; no host is needed.")
]
Guests = Annotated[
    int, typer.Option("--guests", min=1, max=1000, help="With --demo: how many of them.")
]


def top(
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    demo: Demo = False,
    guests: Guests = 24,
) -> None:
    """Watch the VMs live: sort, filter, ask why, hold, release."""
    try:
        from aerostat.tui.app import Top  # noqa: PLC0415 # an extra that need not be installed
    except ImportError as error:
        raise typer.BadParameter(
            "this takes a library more: pip install '.[tui]' in a checkout; "
            "aerostat status --watch does without"
        ) from error
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter("top needs a terminal; aerostat status --watch does without")
    if demo and ((socket, url, ca) != (None, None, None)):
        raise typer.BadParameter("--demo brings its own daemon: no --socket and no --url")
    with ExitStack() as stack:
        if demo:
            # What a daemon on a real host needs nothing of.
            from aerostat.cli.simulated_host import simulated_host  # noqa: PLC0415

            waiting = Console(stderr=True).status(f"starting {guests} simulated guests")
            with waiting:
                socket = stack.enter_context(simulated_host(guests))
        daemon = Daemon(socket, url, ca)
        daemon.get("/v1/host")  # one that does not answer is told now, and with its exit status
        Top(daemon, note="SIMULATED guests" if demo else "").run()
