"""``aerostat run``: the daemon."""

from typing import Annotated

import typer

from aerostat.cli.options import ConfigPath, QmpSockets, StorePath
from aerostat.config import CommandLine, Config, default_config, load_config
from aerostat.daemon.logs import logs_on
from aerostat.daemon.run import run_daemon
from aerostat.model.modes import Mode


def effective_config(
    config: ConfigPath = None,
    *,
    mode: Mode | None = None,
    qmp: list[str] | None = None,
    store: StorePath = None,
) -> Config:
    """The file, or the defaults, with the command line over it."""
    base = default_config() if config is None else load_config(config)
    return base.overlaid(CommandLine(mode=mode, qmp=qmp or None, store=store))


def run(
    config: ConfigPath = None,
    qmp: QmpSockets = None,
    mode: Annotated[
        Mode | None,
        typer.Option(help="observe: only watch. recommend: say what to do. enforce: do it."),
    ] = None,
    store: StorePath = None,
) -> None:
    """Run the daemon until it is told to stop (SIGTERM, or Ctrl-C)."""
    settings = effective_config(config, mode=mode, qmp=qmp, store=store)
    with logs_on():
        run_daemon(settings)
