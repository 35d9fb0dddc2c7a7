"""Full physics with the constants that were fitted to real guests on an accelerator."""

from dataclasses import replace

from aerostat.sim.calibration.constants_file import Constants
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.full.columns import Pace


def fitted(full: FullPhysics, constants: Constants) -> FullPhysics:
    """The same guests at the pace of fitted ones, with what their kernels keep."""
    guest, swap = constants.guest, constants.swap
    return replace(
        full,
        pace=Pace(
            inflate_rate=float(guest.inflate_bytes_per_s),
            untouched_factor=float(guest.inflate_untouched_factor),
            deflate_rate=float(guest.deflate_bytes_per_s),
            out_rate=float(swap.out_bytes_per_s),
            page_in_s=float(swap.page_in_s),
        ),
        kernel_bytes=guest.kernel_fixed_bytes + guest.system_bytes,
    )
