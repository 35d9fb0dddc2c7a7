"""``aerostat run``: the daemon."""

from typing import Annotated

import typer

from aerostat.cli.configured import effective_config
from aerostat.cli.daemons_doctor import examined_beside
from aerostat.cli.options import (
    CloudHypervisorSockets,
    ConfigPath,
    FirecrackerSockets,
    LibvirtUri,
    QmpSockets,
    StorePath,
)
from aerostat.config import Config
from aerostat.daemon.logs import logs_on
from aerostat.daemon.run import run_daemon
from aerostat.model.modes import Mode
from aerostat.units import parse_duration

RECORD_S_MIN = 60.0
"""The tape is written a minute at a time."""


def run(
    config: ConfigPath = None,
    qmp: QmpSockets = None,
    libvirt: LibvirtUri = None,
    cloud_hypervisor: CloudHypervisorSockets = None,
    firecracker: FirecrackerSockets = None,
    mode: Annotated[
        Mode | None,
        typer.Option(help="observe: only watch. recommend: say what to do. enforce: do it."),
    ] = None,
    store: StorePath = None,
    record: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Keep rounds in full for so long (1h, 7d), for replay."
        ),
    ] = None,
) -> None:
    """Run the daemon until it is told to stop (SIGTERM, or Ctrl-C)."""
    record_s = None if record is None else parsed_record(record)

    def read() -> Config:
        return effective_config(
            config,
            mode=mode,
            qmp=qmp,
            libvirt=libvirt,
            cloud_hypervisor=cloud_hypervisor,
            firecracker=firecracker,
            store=store,
            record_s=record_s,
        )

    settings = read()
    with logs_on():
        run_daemon(settings, read, examined_beside)


def parsed_record(text: str) -> float:
    """Read ``--record`` and return seconds."""
    try:
        duration_s = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--record") from error
    if duration_s < RECORD_S_MIN:
        raise typer.BadParameter(f"{text!r} is too short: at least 1m", param_hint="--record")
    return duration_s
