"""What can go wrong with a machine of the lab."""

from aerostat.ports.errors import AerostatError


class MachineError(AerostatError):
    """A lab machine could not be started, or is not in the state that was asked for."""
