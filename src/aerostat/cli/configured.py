"""What holds in the end: the file, or the defaults, with the command line over it."""

import typer

from aerostat.cli.options import ConfigPath, StorePath
from aerostat.config import CommandLine, Config, default_config, load_config
from aerostat.config.values import read_libvirt_uri
from aerostat.model.modes import Mode


def effective_config(
    config: ConfigPath = None,
    *,
    mode: Mode | None = None,
    qmp: list[str] | None = None,
    libvirt: str | None = None,
    cloud_hypervisor: list[str] | None = None,
    firecracker: list[str] | None = None,
    store: StorePath = None,
    record_s: float | None = None,
) -> Config:
    """The file, or the defaults, with the command line over it."""
    base = default_config() if config is None else load_config(config)
    return base.overlaid(
        CommandLine(
            mode=mode,
            qmp=qmp or None,
            libvirt=None if libvirt is None else parsed_libvirt(libvirt),
            cloud_hypervisor=cloud_hypervisor or None,
            firecracker=firecracker or None,
            store=store,
            record_s=record_s,
        )
    )


def parsed_libvirt(text: str) -> str:
    """Check ``--libvirt``."""
    try:
        return read_libvirt_uri(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--libvirt") from error
