"""The host's state, with hysteresis: entering is quick, leaving needs a clear margin."""

from aerostat.model.host import HostMemory
from aerostat.model.host_state import HostState

ENTER_RATIO = {HostState.SOFT: 1.0, HostState.HARD: 0.5, HostState.CRITICAL: 0.25}
"""A state is entered when the host has less available than this share of its reserve."""
LEAVE_FACTOR = 1.5
"""And left when it has so many times as much: 10 % of RAM to enter soft, 15 % to leave it."""

_BY_SEVERITY = (HostState.CRITICAL, HostState.HARD, HostState.SOFT)


def next_host_state(before: HostState, memory: HostMemory | None, reserve_bytes: int) -> HostState:
    """Judge the host by what it has available of its reserve, less what merged pages may take."""
    if memory is None:
        return HostState.UNKNOWN
    known = list(_BY_SEVERITY)
    for state in known:
        threshold = ENTER_RATIO[state] * reserve_bytes
        # Being in this state or a worse one already, it takes more to leave than to enter.
        inside = before in known[: known.index(state) + 1]
        if memory.lasting_bytes < threshold * (LEAVE_FACTOR if inside else 1.0):
            return state
    return HostState.COMFORTABLE
