"""``aerostat top``: the running daemon's picture, live in a terminal."""

import typer

from aerostat.cli.asked import Daemon, SocketPath, Url


def top(socket: SocketPath = None, url: Url = None) -> None:
    """Watch the VMs live: sort, filter, ask why, hold, release."""
    try:
        from aerostat.tui.app import Top  # noqa: PLC0415 # an extra that need not be installed
    except ImportError as error:
        raise typer.BadParameter(
            "this takes a library more: pip install 'aerostat[tui]'; aerostat status --watch "
            "does without"
        ) from error
    daemon = Daemon(socket, url)
    daemon.get("/v1/host")  # one that does not answer is told now, and with its exit status
    Top(daemon).run()
