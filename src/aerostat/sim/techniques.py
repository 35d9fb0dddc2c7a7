"""The port ``HostTechniques`` on a simulated host: what is taken is paged out until touched."""

import asyncio
from collections.abc import Sequence

from aerostat.model.host_state import LadderStep
from aerostat.model.techniques import HostTake, Spared
from aerostat.ports.errors import AerostatError
from aerostat.ports.techniques import Taken
from aerostat.sim.world import World
from aerostat.units import MIB

WRITE_BYTES_PER_S = 400 * MIB
"""Measured on a lab host: 256 MiB of a VM by its cgroup in 0.46 to 0.81 s."""


class SimulatedTechniques:
    """Pages guests out and switches merging on, in a world that has room for it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.on: list[LadderStep] = []
        self.spared: tuple[Spared, ...] = ()

    async def switch_on(self, step: LadderStep, spared: Sequence[Spared]) -> str:
        """See that there is something to swap to.

        Raises:
            AerostatError: there is not.
        """
        if step is not LadderStep.MERGE and self._world.host.physics.swap_bytes == 0:
            raise AerostatError("the host has no swap: add some")
        self.on.append(step)
        self.spared = tuple(spared)
        return "simulated"

    async def put_back(self, step: LadderStep) -> tuple[str, ...]:
        """It is off again."""
        self.on.remove(step)
        return ()

    async def take(self, order: HostTake) -> Taken:
        """Page out so much of a guest, as far as it has it and the swap has room.

        Raises:
            AerostatError: the guest is gone.
        """
        guest = self._world.guests.get(order.guest)
        if guest is None:
            raise AerostatError(f"process {order.pid} is gone")
        room = self._world.host.memory().swap_free_bytes
        side = guest.host_side
        taken = min(order.size_bytes, room, int(guest.held_bytes - side.paged_out_bytes))
        took_s = taken / WRITE_BYTES_PER_S
        await asyncio.sleep(took_s)
        side.paged_out_bytes += taken
        return Taken(taken_bytes=taken, took_s=took_s, how="simulated")
