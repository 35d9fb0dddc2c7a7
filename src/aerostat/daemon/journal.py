"""The daemon's journal: what changed, in words, when it changed; silence means nothing did."""

import re
from dataclasses import dataclass

import structlog

from aerostat.daemon.shares_log import SharesLog
from aerostat.engine.explain import explain, explain_effect, technique_words
from aerostat.model.effect import Effect
from aerostat.model.events import (
    HOST_ITSELF,
    Event,
    LifecycleChanged,
    OperatorCommanded,
    Outcome,
    PressurePushed,
    TargetAnswered,
    TargetReplaced,
    TechniqueAct,
    TechniqueUsed,
)
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.modes import Mode
from aerostat.model.plan import GuestTrace, HostTrace
from aerostat.model.reasons import Reason
from aerostat.ports.journal import RoundRecord
from aerostat.units import format_size

SUMMARY_S = 60.0
"""How often one line tells that all is well."""

_ADVICE_AGAIN_S = 30.0
"""In recommend the same advice comes out of every round: it is said again only after so long."""
_ADVICE_SAME_RATIO = 0.05
"""Targets this close together are the same advice: a guest that breathes is no news."""

_CONNECTING_S = 3.0
"""A VM that cannot be read is told of after so long; a connection takes 2 s at most."""

_SILENT_S = 10.0
"""A guest that has a balloon and says nothing for so long has probably no driver for it."""

_FIGURE = re.compile(r"\d+(\.\d+)?")

# Passing states: a guest is in and out of them within seconds, and they change nothing.
_PASSING = frozenset({Reason.HOLD_COOLDOWN, Reason.HOLD_WITHIN_DEAD_BAND, Reason.HOLD_HAS_ENOUGH})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Advice:
    reason: Reason
    target_bytes: int
    at_s: float


@dataclass(slots=True, kw_only=True)
class _Met:
    """What has been said of one guest."""

    name: str
    since_s: float
    is_found: bool = False
    trouble_gist: str | None = None
    reason: Reason | None = None
    advice: _Advice | None = None


class LogJournal:
    """The port ``Journal`` on structured logs."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._log = structlog.get_logger()
        self._met: dict[GuestId, _Met] = {}
        self._shares = SharesLog()
        self._summary_s: float | None = None
        self._effect = Effect.WORKING

    def use_mode(self, mode: Mode) -> None:
        """Tell what belongs to another mode from now on."""
        self._mode = mode

    def record(self, record: RoundRecord) -> None:
        """Say what is new in this round."""
        for event in record.events:
            self._tell_event(event)
        for guest in record.snapshot.guests:
            self._tell_guest(guest, record.trace.now_s)
        self._forget_the_gone(record)
        changed = {change.guest: change.target_bytes for change in record.plan.changes}
        for trace in record.trace.guests:
            if trace.guest in changed:
                self._tell_change(trace, record)
            else:
                self._tell_hold(trace)
            self._met[trace.guest].reason = trace.reason
        self._tell_effect(record.trace.host)
        self._shares.show(record.trace)
        self._summarise(record)

    def _tell_effect(self, host: HostTrace) -> None:
        """A daemon that does nothing says so once, loudly; and once when it is over."""
        if host.effect is self._effect:
            return
        self._effect = host.effect
        if host.effect is Effect.WORKING:
            self._log.info("no_effect_over")
        else:
            self._log.error("no_effect", words=explain_effect(host), effect=host.effect.value)

    def _tell_event(self, event: Event) -> None:
        name = self._met[event.guest].name if event.guest in self._met else event.guest
        if isinstance(event, TechniqueUsed):
            self._tell_technique(event, name)
            return
        if isinstance(event, LifecycleChanged):
            self._log.info(
                "guest_lifecycle",
                guest=name,
                id=event.guest,
                change=event.kind.value,
                detail=event.detail,
            )
        elif isinstance(event, OperatorCommanded):
            self._log.info(
                "operator_command",
                guest=name,
                command=event.command.value,
                who=event.who,
                detail=event.detail,
            )
        elif isinstance(event, TargetReplaced):
            self._log.warning(
                "foreign_target",
                guest=name,
                held_bytes=event.held_bytes,
                actual_bytes=event.actual_bytes,
                for_s=event.for_s,
            )
        elif isinstance(event, PressurePushed) and event.is_first:
            self._log.info(
                "pressure_pushed",
                guest=name,
                trigger=event.trigger.value,
                free_bytes=event.free_bytes,
            )
        elif isinstance(event, TargetAnswered) and event.outcome is not Outcome.ACCEPTED:
            self._log.warning(
                "target_not_accepted",
                guest=name,
                target_bytes=event.target_bytes,
                outcome=event.outcome.value,
                detail=event.detail,
            )

    def _tell_technique(self, event: TechniqueUsed, name: str) -> None:
        told = {
            "words": technique_words(event),
            "step": event.step.value,
            "guest": None if event.guest == HOST_ITSELF else name,
            "taken_bytes": event.taken_bytes,
        }
        match event.act:
            case TechniqueAct.SWITCHED_ON:
                self._log.info("technique_switched_on", **told)
            case TechniqueAct.PUT_BACK:
                self._log.info("technique_put_back", **told)
            case TechniqueAct.TOOK:
                self._log.info("technique_took", **told)
            case TechniqueAct.FAILED:
                self._log.warning("technique_failed", **told)

    def _tell_guest(self, guest: GuestSnapshot, now_s: float) -> None:
        met = self._met.get(guest.guest)
        if met is None:
            met = self._met[guest.guest] = _Met(name=guest.name, since_s=now_s)
        met.name = guest.name
        if not met.is_found and guest.run_state is not RunState.UNREACHABLE:
            met.is_found = True
            self._log.info(
                "guest_found",
                guest=guest.name,
                id=guest.guest,
                state=guest.run_state.value,
                max_bytes=guest.max_bytes,
                actual_bytes=guest.actual_bytes,
            )
        # A VM that is only just being connected is no trouble yet.
        if met.is_found or now_s - met.since_s >= _CONNECTING_S:
            self._tell_trouble(guest, met, now_s)

    def _tell_trouble(self, guest: GuestSnapshot, met: _Met, now_s: float) -> None:
        trouble = guest.trouble
        if trouble is None and _is_silent(guest) and now_s - met.since_s >= _SILENT_S:
            trouble = "its guest has never reported any figures: is its balloon driver loaded?"
        # Figures in it, such as for how long by now, do not make it another trouble.
        gist = None if trouble is None else _FIGURE.sub("", trouble)
        if gist != met.trouble_gist:
            if gist is None:
                self._log.info("guest_trouble_over", guest=guest.name)
            else:
                self._log.warning("guest_trouble", guest=guest.name, detail=trouble)
        met.trouble_gist = gist

    def _forget_the_gone(self, record: RoundRecord) -> None:
        present = {guest.guest for guest in record.snapshot.guests}
        for gone in [guest for guest in self._met if guest not in present]:
            del self._met[gone]

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
        said = self._met[trace.guest].advice
        if (
            said is not None
            and said.reason is trace.reason
            and now_s - said.at_s < _ADVICE_AGAIN_S
            and abs(target_bytes - said.target_bytes) <= _ADVICE_SAME_RATIO * said.target_bytes
        ):
            return True
        self._met[trace.guest].advice = _Advice(
            reason=trace.reason, target_bytes=target_bytes, at_s=now_s
        )
        return False

    def _tell_hold(self, trace: GuestTrace) -> None:
        met = self._met[trace.guest]
        if trace.reason in _PASSING or met.reason is trace.reason or not met.is_found:
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


def _is_silent(guest: GuestSnapshot) -> bool:
    """Whether it runs, could report figures, and never has."""
    statistics = guest.statistics
    return (
        guest.run_state is RunState.RUNNING
        and guest.has_balloon is True
        and (statistics is None or statistics.sampled_wall_s <= 0)
    )
