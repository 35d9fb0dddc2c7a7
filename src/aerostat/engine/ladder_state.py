"""What the ladder remembers between rounds: what is on, what is being done, and what it came to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aerostat.model.events import HOST_ITSELF, Event, TechniqueAct, TechniqueUsed
from aerostat.model.guest import GuestId
from aerostat.model.host_state import LadderStep

AGAIN_S = 30.0
"""After a take that hurt or brought nothing a VM is left alone for so long; doubles."""
AGAIN_S_MAX = 600.0
REFUSED_S = 60.0
"""What could not be switched on, or put back, is tried again after so long; doubles."""
REFUSED_S_MAX = 3600.0
SPLIT_PAUSE_S = 0.25
"""Between two splits of one VM's huge pages that brought something."""
WORTH_RATIO = 0.25
"""A take that brought less than this part of what was asked was not worth it."""
LOST_S = 900.0
"""An order without an answer for so long was never carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """One technique of the host."""

    step: LadderStep
    is_on: bool = False
    wanted_s: float = 0.0  # when a state last allowed it
    retry_s: float | None = None  # it was refused: not tried again before
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What taking memory of one VM by the host came to."""

    guest: GuestId
    took_s: float | None = None  # the last time something was taken
    retry_s: float = 0.0
    pause_s: float = 0.0
    split_retry_s: float = 0.0  # its huge pages are not split before
    split_pause_s: float = 0.0

    def put_off(self, now_s: float) -> "Tried":
        """Leave it alone, longer every time."""
        pause_s = min(AGAIN_S_MAX, max(AGAIN_S, 2 * self.pause_s))
        return replace(self, took_s=None, retry_s=now_s + pause_s, pause_s=pause_s)

    def split(self, now_s: float, *, was_worth_it: bool) -> "Tried":
        """Split again soon; where nothing came of it, later every time."""
        if was_worth_it:
            return replace(self, split_retry_s=now_s + SPLIT_PAUSE_S, split_pause_s=0.0)
        pause_s = min(AGAIN_S_MAX, max(AGAIN_S, 2 * self.split_pause_s))
        return replace(self, split_retry_s=now_s + pause_s, split_pause_s=pause_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderState:
    """All of it; tuples are ordered, so that equal states are equal."""

    techniques: tuple[Technique, ...] = ()
    tried: tuple[Tried, ...] = ()
    pending: int = 0  # orders without an answer yet
    ordered_s: float = 0.0
    spared: tuple[int, ...] = ()  # processes that were known as spared when one was last switched
    short_since_s: float | None = None  # balloons have not closed the gap since then

    @property
    def in_use(self) -> tuple[LadderStep, ...]:
        """What is on for the ladder."""
        return tuple(t.step for t in self.techniques if t.is_on)

    def technique(self, step: LadderStep) -> Technique:
        """What is known of a technique."""
        found = (t for t in self.techniques if t.step is step)
        return next(found, Technique(step=step))

    def with_technique(self, technique: Technique) -> "LadderState":
        """The same, knowing this of one technique."""
        others = [t for t in self.techniques if t.step is not technique.step]
        order = tuple(LadderStep)
        return replace(
            self,
            techniques=tuple(sorted([*others, technique], key=lambda t: order.index(t.step))),
        )

    def of(self, guest: GuestId) -> Tried:
        """What is known of a VM."""
        found = (t for t in self.tried if t.guest == guest)
        return next(found, Tried(guest=guest))

    def with_tried(self, tried: Tried) -> "LadderState":
        """The same, knowing this of one VM."""
        others = [t for t in self.tried if t.guest != tried.guest]
        return replace(self, tried=tuple(sorted([*others, tried], key=lambda t: t.guest)))


def with_answers(state: LadderState, events: Sequence[Event], *, now_s: float) -> LadderState:
    """Fold in what came of earlier orders."""
    for event in events:
        if isinstance(event, TechniqueUsed):
            state = replace(state, pending=max(0, state.pending - 1))
            if event.guest == HOST_ITSELF:
                state = _switched(state, event, now_s)
            else:
                state = _took(state, event, now_s)
    if state.pending and now_s - state.ordered_s > LOST_S:
        state = replace(state, pending=0)
    return state


def _switched(state: LadderState, event: TechniqueUsed, now_s: float) -> LadderState:
    known = state.technique(event.step)
    if event.act is TechniqueAct.FAILED:
        pause_s = min(REFUSED_S_MAX, max(REFUSED_S, 2 * known.pause_s))
        return state.with_technique(replace(known, retry_s=now_s + pause_s, pause_s=pause_s))
    is_on = event.act is TechniqueAct.SWITCHED_ON
    return state.with_technique(replace(known, is_on=is_on, retry_s=None, pause_s=0.0))


def _took(state: LadderState, event: TechniqueUsed, now_s: float) -> LadderState:
    known = state.of(event.guest)
    taken, asked = event.taken_bytes or 0, event.asked_bytes or 0
    is_worth_it = event.act is not TechniqueAct.FAILED and taken >= WORTH_RATIO * asked
    if event.step is LadderStep.SPLIT:
        return state.with_tried(known.split(now_s, was_worth_it=is_worth_it))
    if not is_worth_it:
        return state.with_tried(known.put_off(now_s))
    return state.with_tried(replace(known, took_s=now_s))
