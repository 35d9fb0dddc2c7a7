"""What all stand-ins for a VMM are: a process around one VM of a simulated world."""

from aerostat.sim.faults import Faults
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.world import World


class Vmm:
    """One VMM; its VM may not be there yet, or any more.

    Args:
        world: where the VM lives.
        name: of the VM in that world.
    """

    def __init__(self, world: World, name: str) -> None:
        self.is_ending = False  # somebody asked the VMM itself to end
        self._world = world
        self._name = name

    @property
    def guest(self) -> SimulatedGuest | None:
        """The VM that runs."""
        return next((g for g in self._world.guests.values() if g.name == self._name), None)

    def faults(self) -> Faults:
        """What is wrong with it just now."""
        guest = self.guest
        return Faults() if guest is None else guest.faults
