"""What can be wrong with a simulated guest; a test switches it on and off while the world runs."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Faults:
    """One guest's faults. All off is a guest as it should be."""

    is_stalled: bool = False  # its balloon does not move, whatever is asked
    is_hung: bool = False  # its monitor takes commands and never answers; targets are lost
    refuses_targets: bool = False  # its hypervisor says no
    loses_replies: bool = False  # targets are carried out, but the answer never comes
    is_unavailable: bool = False  # its monitor cannot be reached: nothing can be sent
    has_frozen_statistics: bool = False  # the last sample stays for ever
    has_silent_statistics: bool = False  # asked for figures, its hypervisor waits for ever
    absent_figures: frozenset[str] = frozenset()  # names of figures that it does not report
    claimed_available_ratio: float | None = None  # it lies: of its total, so much is available
    keeps_touching: bool = (
        False  # it lies: uses what its balloon has taken, so the host has nothing
    )
    is_pinned: bool = False  # a passed-through device pins its RAM: inflating frees nothing
    ignores_power_button: bool = False  # asked to shut down, it runs on
    has_driver: bool = True  # False: targets are accepted and nothing comes of them
