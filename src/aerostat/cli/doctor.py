"""``aerostat doctor``: whether ballooning works here, VM by VM, and what would make it work."""

import asyncio
import json
from typing import Annotated

import typer

from aerostat.cli.examined import examination_document, examination_text
from aerostat.cli.options import (
    CloudHypervisorSockets,
    FirecrackerSockets,
    LibvirtUri,
    Output,
    OutputFormat,
    QmpSockets,
)
from aerostat.doctor.examine import Places, examine
from aerostat.ports.errors import AerostatError


class UnknownVmError(AerostatError):
    """There is no VM of this name."""

    exit_status = 2


def doctor(
    vm: Annotated[
        str | None, typer.Argument(metavar="[VM]", help="Only this VM; without one, all.")
    ] = None,
    qmp: QmpSockets = None,
    libvirt: LibvirtUri = None,
    cloud_hypervisor: CloudHypervisorSockets = None,
    firecracker: FirecrackerSockets = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Say what works here and what does not. Changes nothing; status 1 where there is a problem."""
    places = Places(
        qmp=qmp or (),
        libvirt=libvirt,
        cloud_hypervisor=cloud_hypervisor or (),
        firecracker=firecracker or (),
    )
    found = asyncio.run(examine(places, only=vm))
    if vm is not None and not found.vms:
        raise UnknownVmError(
            f"no VM of name '{vm}' is to be seen here; 'aerostat doctor' lists all"
        )
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(examination_document(found), indent=2))
    else:
        typer.echo(examination_text(found))
    if found.has_problem:
        raise typer.Exit(1)
