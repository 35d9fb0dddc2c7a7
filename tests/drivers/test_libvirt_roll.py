"""Who runs and why one stopped: the list and the events come in any order."""

import pytest

from aerostat.drivers.libvirt.binding import RawDomain
from aerostat.drivers.libvirt.roll import Roll
from aerostat.model.events import Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId

VM = GuestId("2aa47b0d-6f30-47bf-8ed0-08b28d3ade58")
APPEARED = (LifecycleKind.APPEARED, None)
SAVED = (5, 4)  # stopped, saved


class Book:
    """A roll, and what it told."""

    def __init__(self) -> None:
        self.told: list[tuple[LifecycleKind, str | None]] = []
        self.roll = Roll(pid_of=None)
        self.roll.tell_to(self._hear)

    def look(self, *, at_s: float, number: int | None) -> None:
        """The list at a time: one domain by its number, or nobody."""
        found = []
        if number is not None:
            state = {"state.state": 1}
            found = [RawDomain(uuid=str(VM), name="ada", number=number, fields=state)]
        self.roll.take(found, begun_s=at_s, now_s=at_s)

    def ends(self) -> None:
        self.roll.on_event("LIFECYCLE", str(VM), SAVED)

    def _hear(self, event: Event) -> None:
        assert isinstance(event, LifecycleChanged)
        self.told.append((event.kind, event.detail))


@pytest.mark.parametrize("is_event_first", [True, False])
def test_the_ending_is_told_in_libvirts_words_whichever_comes_first(is_event_first: bool) -> None:
    book = Book()
    book.look(at_s=1.0, number=7)
    if is_event_first:
        book.ends()
    book.look(at_s=2.0, number=None)
    assert VM not in book.roll.domains
    if not is_event_first:
        assert book.told == [APPEARED]
        book.ends()
    book.look(at_s=9.0, number=None)
    assert book.told == [APPEARED, (LifecycleKind.DISAPPEARED, "saved")]


def test_words_that_never_come_are_not_waited_for() -> None:
    book = Book()
    book.look(at_s=1.0, number=7)
    book.look(at_s=2.0, number=None)
    book.look(at_s=4.0, number=None)
    assert book.told == [APPEARED, (LifecycleKind.DISAPPEARED, None)]


def test_one_that_is_back_at_once_has_been_gone() -> None:
    book = Book()
    book.look(at_s=1.0, number=7)
    book.look(at_s=2.0, number=8)
    assert book.told == [APPEARED, (LifecycleKind.DISAPPEARED, None), APPEARED]
