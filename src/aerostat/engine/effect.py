"""The self-check: orders that move nothing anywhere, or none at all while the host is short.

What is wrong then is mostly outside: drivers that are not loaded, figures that are all wrong,
somebody else who sets targets. Each guest by itself looks like one case among many; together they
are a balancer that does nothing, and nobody notices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aerostat.engine.believe import ARRIVED_BYTES, PROGRESS_BYTES_MIN
from aerostat.model.effect import Effect
from aerostat.model.events import Event, TargetAnswered
from aerostat.model.guest import GuestId, GuestSnapshot
from aerostat.model.host import HostSnapshot

FUTILE_ROUNDS = 2
"""So many rounds of orders without any effect ..."""
FUTILE_S = 30.0
"""... over so long are no coincidence: a slow balloon moves a MiB within seconds."""
AGAIN_S = 10.0
"""The same order to the same guest counts again after so long."""
GUESTS_MIN = 2
"""One guest that does not move is a stalled balloon, unless it is the only one there is."""
IDLE_S = 60.0
"""A host that is short for so long without one order; twice as long each further time."""
IDLE_S_MAX = 3600.0
RETURNED_RATIO = 0.5
"""Of what was to be taken: so much less, by the host's own measure, is an effect as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An order nothing has come of yet, and how its guest was when it was sent."""

    guest: GuestId
    target_bytes: int
    actual_bytes: int
    held_bytes: int | None  # by the host's own measure
    counted_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """What the engine remembers of its own effect."""

    effect: Effect = Effect.WORKING
    standing: tuple[Standing, ...] = ()
    futile_rounds: int = 0  # rounds of orders since anything moved
    futile_since_s: float | None = None
    idle_since_s: float | None = None  # short since then, and no order
    patience_s: float = IDLE_S

    def idle_s(self, now_s: float) -> float:
        """How long the host has been short without any order."""
        return 0.0 if self.idle_since_s is None else now_s - self.idle_since_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the self-check has to know of a round beside its snapshot."""

    actual_before: Mapping[GuestId, int]  # what each guest held when it was read the last time
    movable: int  # so many guests could be ordered something at all ...
    has_figures: bool  # ... and one of them at least has reported some
    is_short: bool  # the host has less than its reserve, or the guests hold more than they may
    is_busy: bool  # an order goes out in this round, or a balloon is on its way


def followed(
    check: SelfCheck, snapshot: HostSnapshot, events: Sequence[Event], around: Circumstances
) -> SelfCheck:
    """Fold one round into the self-check."""
    answers = [event for event in events if isinstance(event, TargetAnswered)]
    after = check
    if answers or check.standing:
        guests = {guest.guest: guest for guest in snapshot.guests}
        after = _orders(check, guests, answers, around, snapshot.now_s)
    after = _idleness(after, around, snapshot.now_s)
    effect = _effect(after, around, snapshot.now_s)
    return after if effect is after.effect else replace(after, effect=effect)


def _orders(
    check: SelfCheck,
    guests: Mapping[GuestId, GuestSnapshot],
    answers: Sequence[TargetAnswered],
    around: Circumstances,
    now_s: float,
) -> SelfCheck:
    standing = {order.guest: order for order in check.standing if order.guest in guests}
    sent = [
        order
        for event in answers
        if event.guest in guests
        for order in [_order(event, guests[event.guest], around, now_s)]
        if order is not None and _is_news(standing.get(order.guest), order)
    ]
    standing |= {order.guest: _kept(standing.get(order.guest), order) for order in sent}
    if not standing or any(_has_moved(order, guests[order.guest]) for order in standing.values()):
        return replace(check, standing=(), futile_rounds=0, futile_since_s=None)
    since_s = now_s if check.futile_since_s is None else check.futile_since_s
    return replace(
        check,
        standing=tuple(standing[guest] for guest in sorted(standing)),
        futile_rounds=check.futile_rounds + (1 if sent else 0),
        futile_since_s=since_s,
    )


def _order(
    event: TargetAnswered, guest: GuestSnapshot, around: Circumstances, now_s: float
) -> Standing | None:
    """An order that should move something; refused or not: what counts is what comes of it."""
    before = around.actual_before.get(event.guest)
    if before is None or abs(event.target_bytes - before) <= ARRIVED_BYTES:
        return None  # a stall that is accepted asks for nothing
    return Standing(
        guest=event.guest,
        target_bytes=event.target_bytes,
        actual_bytes=before,
        held_bytes=None if guest.footprint is None else guest.footprint.held_bytes,
        counted_s=now_s,
    )


def _is_news(before: Standing | None, order: Standing) -> bool:
    """An answer that comes late, or an order sent again at once, is no other order."""
    if before is None or before.target_bytes != order.target_bytes:
        return True
    return order.counted_s - before.counted_s >= AGAIN_S


def _kept(before: Standing | None, order: Standing) -> Standing:
    """A new order to a guest that has not moved: it is judged from where it has been standing."""
    if before is None:
        return order
    return replace(order, actual_bytes=before.actual_bytes, held_bytes=before.held_bytes)


def _has_moved(order: Standing, guest: GuestSnapshot) -> bool:
    wanted = order.actual_bytes - order.target_bytes
    if guest.actual_bytes is not None:
        closer = abs(wanted) - abs(guest.actual_bytes - order.target_bytes)
        if closer >= PROGRESS_BYTES_MIN:
            return True
    held = None if guest.footprint is None else guest.footprint.held_bytes
    if wanted <= 0 or held is None or order.held_bytes is None:
        return False
    return order.held_bytes - held >= RETURNED_RATIO * wanted


def _idleness(check: SelfCheck, around: Circumstances, now_s: float) -> SelfCheck:
    if not around.is_short:
        if check.idle_since_s is None and check.patience_s == IDLE_S:
            return check  # as in most rounds
        return replace(check, idle_since_s=None, patience_s=IDLE_S)
    if around.is_busy or not around.has_figures:
        # Short for good, with an order now and then, is not told again and again.
        told = check.effect is Effect.NOTHING_IS_ORDERED
        patience_s = min(2 * check.patience_s, IDLE_S_MAX) if told else check.patience_s
        return replace(check, idle_since_s=None, patience_s=patience_s)
    since_s = now_s if check.idle_since_s is None else check.idle_since_s
    return replace(check, idle_since_s=since_s)


def _effect(check: SelfCheck, around: Circumstances, now_s: float) -> Effect:
    lasting = check.futile_since_s is not None and now_s - check.futile_since_s >= FUTILE_S
    broad = len(check.standing) >= min(GUESTS_MIN, around.movable)
    if lasting and broad and check.futile_rounds >= FUTILE_ROUNDS:
        return Effect.ORDERS_MOVE_NOTHING
    if check.idle_s(now_s) >= check.patience_s:
        return Effect.NOTHING_IS_ORDERED
    return Effect.WORKING
