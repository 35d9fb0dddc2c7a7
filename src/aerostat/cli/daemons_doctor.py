"""The doctor beside a running daemon: it does not ask monitors that the daemon holds."""

import asyncio
from typing import Any

from aerostat.cli.examined import examination_document
from aerostat.config import Config
from aerostat.doctor.examine import Places, examine
from aerostat.doctor.held import monitor_of
from aerostat.model.host import HostSnapshot
from aerostat.model.modes import Mode


def examined_beside(config: Config, snapshot: HostSnapshot | None) -> dict[str, Any]:
    """What works here, as a document; for a thread of its own, since it takes seconds."""
    held, has_armed = {}, config.mode is not Mode.OBSERVE
    for guest in () if snapshot is None else snapshot.guests:
        if (monitor := monitor_of(guest, has_armed=has_armed)) is not None:
            held[str(guest.guest)] = held[guest.name] = monitor
    sockets = config.document
    places = Places(
        # Those of QEMU have one client at a time, and that is the daemon.
        cloud_hypervisor=sockets.cloud_hypervisor.sockets,
        firecracker=sockets.firecracker.sockets,
        libvirt=config.libvirt_uri,
        held=held,
    )
    return examination_document(asyncio.run(examine(places)))
