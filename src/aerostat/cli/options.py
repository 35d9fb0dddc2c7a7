"""Options that several verbs share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class OutputFormat(StrEnum):
    """How a verb prints what it found."""

    TABLE = "table"
    JSON = "json"


ConfigPath = Annotated[
    Path | None,
    typer.Option("-c", "--config", help="TOML file; without one the defaults apply."),
]
Output = Annotated[
    OutputFormat, typer.Option("-o", "--output", help="A table for people, or JSON.")
]
StorePath = Annotated[
    Path | None,
    typer.Option("--store", help="The daemon's database; without one, where it is by default."),
]
Since = Annotated[str, typer.Option("--since", help="How far back: 10m, 1h, 2d.")]
LibvirtUri = Annotated[
    str | None,
    typer.Option("--libvirt", help="Domains of a libvirt on this host: qemu:///system."),
]
CloudHypervisorSockets = Annotated[
    list[str] | None,
    typer.Option("--cloud-hypervisor", help="API socket, or a quoted glob. May be repeated."),
]
FirecrackerSockets = Annotated[
    list[str] | None,
    typer.Option("--firecracker", help="API socket, or a quoted glob. May be repeated."),
]
QmpSockets = Annotated[
    list[str] | None,
    typer.Option(
        "--qmp",
        help="QMP socket, a quoted glob, or auto: those of all QEMUs here. May be repeated.",
    ),
]
