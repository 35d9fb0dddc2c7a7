"""What Aerostat's own daemon tells of VMs whose monitors it holds, so that nobody else can ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from aerostat.doctor.vm_monitor import VmBalloon, VmMonitor
from aerostat.doctor.vm_process import VmProcess
from aerostat.drivers.sockets import SocketSettings
from aerostat.model.modes import Mode

ANSWER_S = 3.0
_UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """The guests of a running daemon; empty where none answers."""

    guests: tuple[Mapping[str, Any], ...] = field(default=())
    statistics_period_s: int | None = None  # how often it has guests report; None: it does not

    @classmethod
    async def ask(cls, socket: Path) -> "DaemonFacts":
        """Ask the daemon behind this socket, if there is one that lets us in."""
        if not socket.exists():
            return cls()
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        try:
            async with httpx.AsyncClient(transport=transport, timeout=ANSWER_S) as client:
                answer = await client.get("http://aerostat/v1/state")
                state = answer.raise_for_status().json()
                guests = tuple(g for g in state["guests"] if isinstance(g, Mapping))
                is_observing = state["mode"] == Mode.OBSERVE.value
        except (httpx.HTTPError, ValueError, KeyError, TypeError, OSError):
            return cls()
        return cls(guests, None if is_observing else SocketSettings().statistics_period_s)

    def of(self, process: VmProcess) -> VmMonitor | None:
        """What it tells of this process's VM; None: it does not know it, or cannot ask it either.

        Two VMs of one name that have no UUID cannot be told apart from here: nothing is said.
        """
        known = [g for g in self.guests if process.uuid is not None and g["id"] == process.uuid]
        return self._told(known) if known else self.named(process.name)

    def named(self, name: str) -> VmMonitor | None:
        """The same of a VM of which no more than its name is known."""
        return self._told([guest for guest in self.guests if guest.get("name") == name])

    def _told(self, known: Sequence[Mapping[str, Any]]) -> VmMonitor | None:
        if len(known) != 1 or known[0].get("run_state") in (None, _UNREACHABLE):
            return None
        return _monitor(known[0], self.statistics_period_s)


def _monitor(guest: Mapping[str, Any], statistics_period_s: int | None) -> VmMonitor:
    actual_bytes = guest.get("actual_bytes")
    balloon = VmBalloon(
        statistics_period_s=statistics_period_s,
        sample_age_s=guest.get("figures_age_s"),
        has_figures=guest.get("guest_available_bytes") is not None,
    )
    return VmMonitor(
        is_told_by_daemon=True,
        run_state=guest["run_state"],
        balloon=None if actual_bytes is None else balloon,
        max_bytes=guest.get("max_bytes"),
        actual_bytes=actual_bytes,
        is_migrating=guest["run_state"] == "migrating",
    )
