"""The domains that run now, and who is told of their coming and going."""

from collections.abc import Callable, Iterable
from typing import Any

from aerostat.drivers.libvirt.binding import RawDomain
from aerostat.drivers.libvirt.domain import Domain
from aerostat.drivers.libvirt.happenings import REDESCRIBES, STIRS, parse_ending, parse_event
from aerostat.model.events import Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.ports.driver import EventSink

PidOf = Callable[[str], int | None]
"""Finds the process of a VM by its UUID."""

_WORDS_S = 2.0
"""How long the event that says why a domain stopped may come after the list without it."""


class Roll:
    """Enters domains as they are seen and strikes them off when they are not.

    While libvirtd is away nobody is struck off: its domains live on.
    """

    def __init__(self, *, pid_of: PidOf | None) -> None:
        self.domains: dict[GuestId, Domain] = {}
        self._pid_of = pid_of
        self._sink: EventSink | None = None
        self._endings: dict[GuestId, str] = {}
        self._gone_s: dict[GuestId, float] = {}  # struck off, and nobody has said why yet
        self._newest_s = 0.0

    def tell_to(self, sink: EventSink) -> None:
        """Events go to ``sink`` from now on."""
        self._sink = sink

    def take(self, found: Iterable[RawDomain], *, begun_s: float, now_s: float) -> None:
        """Take in all that one call brought: everybody who was there when it began."""
        seen = {GuestId(raw.uuid): raw for raw in found}
        is_newest = begun_s >= self._newest_s  # a late call knows domains that have gone since
        self._newest_s = max(begun_s, self._newest_s)
        for domain in [d for d in self.domains.values() if is_newest]:
            raw = seen.get(domain.guest)
            if domain.since_s <= begun_s and (raw is None or raw.number != domain.number):
                self._strike_off(domain, now_s=now_s)
        for guest, raw in seen.items():
            if guest not in self.domains and is_newest:
                self._enter(guest, raw, now_s=now_s)
            here = self.domains.get(guest)
            if here is not None and here.number == raw.number:
                here.take(raw, begun_s=begun_s, now_s=now_s)
        for guest in [g for g, gone_s in self._gone_s.items() if now_s - gone_s >= _WORDS_S]:
            self._tell_gone(guest)

    def on_event(self, name: str, uuid: str, words: tuple[Any, ...]) -> bool:
        """Take in an event; returns whether it is worth looking round at once."""
        guest = GuestId(uuid)
        ending = parse_ending(name, words)
        if ending is not None and guest in self._gone_s:
            self._tell_gone(guest, ending)
        elif ending is not None and guest in self.domains:
            self._endings[guest] = ending
        if name in REDESCRIBES and guest in self.domains:
            self.domains[guest].is_described = False
        event = parse_event(guest, name, words)
        if event is not None and guest in self.domains:
            self.tell(event)
        return name in STIRS

    def describe_anew(self) -> None:
        """Events may have been missed: everything that only they tell is looked up again."""
        for domain in self.domains.values():
            domain.is_described = False

    def _enter(self, guest: GuestId, raw: RawDomain, *, now_s: float) -> None:
        pid = None if self._pid_of is None else self._pid_of(raw.uuid)
        self.domains[guest] = Domain(
            guest=guest, number=raw.number, name=raw.name, since_s=now_s, pid=pid
        )
        self._endings.pop(guest, None)
        if guest in self._gone_s:
            self._tell_gone(guest)
        self.tell(LifecycleChanged(guest=guest, kind=LifecycleKind.APPEARED))

    def _strike_off(self, domain: Domain, *, now_s: float) -> None:
        del self.domains[domain.guest]
        domain.listen_to(None)
        self._gone_s[domain.guest] = now_s
        ending = self._endings.pop(domain.guest, None)
        if ending is not None:
            self._tell_gone(domain.guest, ending)

    def _tell_gone(self, guest: GuestId, ending: str | None = None) -> None:
        del self._gone_s[guest]
        kind = LifecycleKind.DISAPPEARED
        self.tell(LifecycleChanged(guest=guest, kind=kind, detail=ending))

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        if self._sink is not None:
            self._sink(event)
