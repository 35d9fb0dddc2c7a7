"""The daemon's journal: what changed, in words, when it changed; silence means nothing did."""

from dataclasses import dataclass

import structlog

from aerostat.engine.explain import explain
from aerostat.model.events import Event, LifecycleChanged, Outcome, TargetAnswered
from aerostat.model.guest import GuestId, GuestSnapshot
from aerostat.model.modes import Mode
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Reason
from aerostat.ports.journal import RoundRecord
from aerostat.units import format_size

SUMMARY_S = 60.0
"""How often one line tells that all is well."""

_ADVICE_AGAIN_S = 30.0
"""In recommend the same advice comes out of every round: it is said again only after so long."""
_ADVICE_SAME_RATIO = 0.05
"""Targets this close together are the same advice: a guest that breathes is no news."""

# Passing states: a guest is in and out of them within seconds, and they change nothing.
_PASSING = frozenset({Reason.HOLD_COOLDOWN, Reason.HOLD_WITHIN_DEAD_BAND, Reason.HOLD_HAS_ENOUGH})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Advice:
    reason: Reason
    target_bytes: int
    at_s: float


class LogJournal:
    """The port ``Journal`` on structured logs."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._log = structlog.get_logger()
        self._reasons: dict[GuestId, Reason] = {}
        self._troubles: dict[GuestId, str | None] = {}
        self._names: dict[GuestId, str] = {}
        self._advised: dict[GuestId, _Advice] = {}
        self._summary_s: float | None = None

    def record(self, record: RoundRecord) -> None:
        """Say what is new in this round."""
        for event in record.events:
            self._tell_event(event)
        for guest in record.snapshot.guests:
            self._tell_guest(guest)
        self._forget_the_gone(record)
        changed = {change.guest: change.target_bytes for change in record.plan.changes}
        for trace in record.trace.guests:
            if trace.guest in changed:
                self._tell_change(trace, record)
            else:
                self._tell_hold(trace)
            self._reasons[trace.guest] = trace.reason
        self._summarise(record)

    def _tell_event(self, event: Event) -> None:
        name = self._names.get(event.guest, event.guest)
        if isinstance(event, LifecycleChanged):
            self._log.info("guest_lifecycle", guest=name, id=event.guest, change=event.kind.value)
        elif isinstance(event, TargetAnswered) and event.outcome is not Outcome.ACCEPTED:
            self._log.warning(
                "target_not_accepted",
                guest=name,
                target_bytes=event.target_bytes,
                outcome=event.outcome.value,
                detail=event.detail,
            )

    def _tell_guest(self, guest: GuestSnapshot) -> None:
        if guest.guest not in self._troubles:
            self._log.info(
                "guest_found",
                guest=guest.name,
                id=guest.guest,
                state=guest.run_state.value,
                max_bytes=guest.max_bytes,
                actual_bytes=guest.actual_bytes,
            )
        self._names[guest.guest] = guest.name
        if guest.trouble != self._troubles.get(guest.guest):
            if guest.trouble is None:
                self._log.info("guest_trouble_over", guest=guest.name)
            else:
                self._log.warning("guest_trouble", guest=guest.name, detail=guest.trouble)
        self._troubles[guest.guest] = guest.trouble

    def _forget_the_gone(self, record: RoundRecord) -> None:
        present = {guest.guest for guest in record.snapshot.guests}
        for gone in [guest for guest in self._names if guest not in present]:
            del self._names[gone], self._troubles[gone]
            self._reasons.pop(gone, None)
            self._advised.pop(gone, None)

    def _tell_change(self, trace: GuestTrace, record: RoundRecord) -> None:
        told = {
            "guest": trace.name,
            "words": explain(trace),
            "reason": trace.reason.value,
            "target_bytes": trace.target_bytes,
            "actual_bytes": trace.actual_bytes,
        }
        if record.was_enforced:
            self._log.info("target", **told)
        elif self._mode is Mode.RECOMMEND and not self._was_just_said(trace, record.trace.now_s):
            self._log.info("recommendation", **told)

    def _was_just_said(self, trace: GuestTrace, now_s: float) -> bool:
        target_bytes = trace.target_bytes or 0
        said = self._advised.get(trace.guest)
        if (
            said is not None
            and said.reason is trace.reason
            and now_s - said.at_s < _ADVICE_AGAIN_S
            and abs(target_bytes - said.target_bytes) <= _ADVICE_SAME_RATIO * said.target_bytes
        ):
            return True
        self._advised[trace.guest] = _Advice(
            reason=trace.reason, target_bytes=target_bytes, at_s=now_s
        )
        return False

    def _tell_hold(self, trace: GuestTrace) -> None:
        if trace.reason in _PASSING or self._reasons.get(trace.guest) is trace.reason:
            return
        self._log.info("hold", guest=trace.name, words=explain(trace), reason=trace.reason.value)

    def _summarise(self, record: RoundRecord) -> None:
        now_s = record.trace.now_s
        if self._summary_s is not None and now_s - self._summary_s < SUMMARY_S:
            return
        self._summary_s = now_s
        host = record.trace.host
        supply = "unknown" if host.supply_bytes is None else format_size(host.supply_bytes)
        self._log.info(
            "summary",
            guests=len(record.trace.guests),
            supply=supply,
            held=format_size(host.committed_bytes),
            demand=format_size(host.demand_bytes),
        )
