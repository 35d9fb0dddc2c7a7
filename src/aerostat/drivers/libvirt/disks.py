"""What domains read from their disks, asked for as each new report of a guest comes.

Not in the bulk call: its block statistics have QEMU and libvirtd look at every image file, which a
server of files that hangs would hold up. This call reads QEMU's own counters. It waits for its turn
on a domain, so nobody waits for it: a round takes what is there.
"""

import asyncio
from collections.abc import Iterable, Mapping

from aerostat.drivers.libvirt.binding import Binding
from aerostat.drivers.libvirt.domain import Domain
from aerostat.drivers.libvirt.errors import NoLaneError
from aerostat.drivers.libvirt.lanes import Lanes


class DiskReads:
    """Keeps the counters of all domains as young as the reports of their guests."""

    def __init__(self, binding: Binding, lanes: Lanes) -> None:
        self._binding = binding
        self._lanes = lanes

    def refresh(self, domains: Iterable[Domain]) -> None:
        """Ask for those that have reported since they were last asked; returns at once."""
        due = {str(domain.guest): domain for domain in domains if domain.is_disk_read_due}
        if not due:
            return
        try:
            outcome = self._lanes.start(lambda c: self._binding.disk_reads(c, tuple(due)))
        except NoLaneError:
            return  # others hang: these are asked with the next report
        for domain in due.values():
            domain.is_disk_read_due = False

        def take(done: "asyncio.Future[Mapping[str, int]]") -> None:
            if done.cancelled() or done.exception() is not None:
                return  # libvirtd is away
            for uuid, domain in due.items():
                domain.disk_read_bytes = done.result().get(uuid)

        outcome.add_done_callback(take)
