"""Free page reporting: a guest's driver tells the host of free memory, and the host takes it.

Only whole blocks of the reporting order (2 MiB by default) are reported, so a part of what is free
never is; and the driver waits before it looks, for what is free now may be in use at once.
"""

from aerostat.sim.guest_state import GuestState
from aerostat.sim.reclaim import Step


def report_free_pages(state: GuestState, step: Step) -> None:
    """Give what has lain free for a while back to the host, as far as this step goes."""
    physics = step.physics
    idle_backed = max(0.0, state.backed_bytes - state.in_use_bytes)
    unfit = physics.report_unfit_ratio * max(0.0, state.free_bytes)
    reportable = idle_backed - unfit
    if reportable < physics.report_block_bytes:
        state.report_in_s = physics.report_delay_s
        return
    state.report_in_s -= step.dt_s
    if state.report_in_s <= 0:
        state.backed_bytes -= min(reportable, physics.report_bytes_per_s * step.dt_s)
