"""What operators have ordered at run time, and until when; replaced as a whole, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aerostat.model.events import Command
from aerostat.model.guest import GuestId
from aerostat.model.limits import Amount
from aerostat.model.orders import GuestOrder, Standing

RECLAIM = GuestId("reclaim")
"""Who a reservation of ``reclaim`` is for that names nobody: no guest has such an id."""

_STANDING = {Command.HOLD: Standing.HELD, Command.RELEASE: Standing.RELEASED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What ``set`` changes. Each is a new value, or in ``reset``: the configuration holds again."""

    minimum: Amount | None = None
    maximum: Amount | None = None
    weight: int | None = None
    reset: frozenset[str] = frozenset()  # of "min", "max", "weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One command of an operator, checked already."""

    command: Command
    who: str  # who says so, for the audit
    guest: GuestId = RECLAIM
    limits: Limits = Limits()
    size_bytes: int = 0  # of ``reclaim`` and ``admit``
    for_s: float | None = None  # None: until it is taken back
    words: str = ""  # the command, as a person would have typed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What stands for one guest."""

    order: GuestOrder
    until_s: float | None = None  # the end of what it says of holding; monotonic
    who: str = ""  # who says so of holding
    limits_who: str = ""  # and of its limits


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """All of it, by guest."""

    standing: Mapping[GuestId, Ordered] = field(default_factory=dict)

    def after(self, ask: Ask, *, now_s: float) -> "OrderBook":
        """The book with a command about a guest in it."""
        before = self.standing.get(ask.guest, Ordered(order=GuestOrder(guest=ask.guest)))
        match ask.command:
            case Command.SET:
                order = _limited(before.order, ask.limits)
                return self._with(replace(before, order=order, limits_who=ask.who))
            case Command.HOLD | Command.RELEASE:
                order = replace(before.order, standing=_STANDING[ask.command])
                until_s = None if ask.for_s is None else now_s + ask.for_s
                return self._with(replace(before, order=order, until_s=until_s, who=ask.who))
            case Command.UNHOLD:
                order = replace(before.order, standing=None)
                return self._with(replace(before, order=order, until_s=None, who=ask.who))
            case Command.RECLAIM | Command.ADMIT:
                return self  # a reservation, which the engine keeps itself

    def at(self, now_s: float) -> "OrderBook":
        """The book without what has run out; itself where nothing has."""
        book = self
        for ordered in self.standing.values():
            if ordered.until_s is not None and ordered.until_s <= now_s:
                book = book._with(replace(_unheld(ordered), until_s=None))  # its own
        return book

    def orders(self) -> Mapping[GuestId, GuestOrder]:
        """As the engine takes them."""
        return {guest: ordered.order for guest, ordered in self.standing.items()}

    def _with(self, ordered: Ordered) -> "OrderBook":
        standing = {**self.standing, ordered.order.guest: ordered}
        if ordered.order.is_empty:
            del standing[ordered.order.guest]
        return OrderBook(standing=dict(sorted(standing.items())))


def _unheld(ordered: Ordered) -> Ordered:
    return replace(ordered, order=replace(ordered.order, standing=None))


def _limited(order: GuestOrder, limits: Limits) -> GuestOrder:
    def now(name: str, new: Amount | None, old: Amount | None) -> Amount | None:
        return None if name in limits.reset else old if new is None else new

    weight = order.weight if limits.weight is None else limits.weight
    return replace(
        order,
        minimum=now("min", limits.minimum, order.minimum),
        maximum=now("max", limits.maximum, order.maximum),
        weight=None if "weight" in limits.reset else weight,
    )
