"""What a running daemon knows of a VM's monitor: it holds it, so nobody else can ask."""

from aerostat.doctor.vm_monitor import VmBalloon, VmMonitor
from aerostat.doctor.vm_ports import VmPort
from aerostat.model.figures import Absence, BalloonStatistics
from aerostat.model.guest import GuestSnapshot, RunState

SILENT_S = 60.0
"""The daemon has guests report every second: one that has not for so long does not any more."""


def monitor_of(guest: GuestSnapshot, *, has_armed: bool = True) -> VmMonitor | None:
    """The monitor's answers as the daemon has them; None: it does not answer the daemon either.

    Args:
        guest: as it was read last.
        has_armed: whether the daemon lets guests report; one that only observes does not.
    """
    if guest.run_state in (RunState.UNREACHABLE, RunState.UNKNOWN):
        return None
    return VmMonitor(
        run_state=guest.run_state.value,
        is_told_by_daemon=True,
        balloon=_balloon(guest, has_armed=has_armed) if guest.has_balloon is not False else None,
        max_bytes=guest.max_bytes,
        actual_bytes=guest.actual_bytes,
        is_migrating=guest.run_state is RunState.MIGRATING,
        own_agent=None if guest.pressure is None else VmPort(is_open=True),
    )


def _balloon(guest: GuestSnapshot, *, has_armed: bool) -> VmBalloon:
    said = guest.statistics  # there as soon as the device is, with nothing in it
    swapped = None
    if said is not None and None not in (said.swap_in_bytes, said.swap_out_bytes):
        swapped = (said.swap_in_bytes or 0) + (said.swap_out_bytes or 0)
    has_reported = said is not None and not _is_unwritten(said)
    is_silent = said is not None and has_reported and _is_silent(guest, said)
    return VmBalloon(
        deflates_on_oom=guest.deflates_on_oom,
        sample_age_s=said.age_s if said is not None and has_reported else None,
        statistics_period_s=0 if is_silent and not has_armed else None,
        why_silent=_words(said) if said is not None and is_silent and has_armed else None,
        has_figures=said is not None and said.available_bytes is not None,
        swap_bytes_seen=swapped,
    )


def _is_silent(guest: GuestSnapshot, said: BalloonStatistics) -> bool:
    return guest.run_state is RunState.RUNNING and said.age_s >= SILENT_S


def _words(said: BalloonStatistics) -> str:
    return f"the guest's driver has reported, but not for {said.age_s:.0f} s"


def _is_unwritten(said: BalloonStatistics) -> bool:
    return any(figure.why is Absence.NEVER_SAMPLED for figure in said.absent)
