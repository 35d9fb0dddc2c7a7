"""What a guest swapped itself in one arm is gone before the next begins."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

from aerostat.lab.schedule_file import load_packaged_schedule
from aerostat.lab.techniques.renewal import SWAPPED_BYTES_MAX, renew_swapped
from aerostat.units import MIB

SCHEDULE = load_packaged_schedule("mix")
BIG = {"ada": 350 * MIB, "bob": 260 * MIB, "cleo": 300 * MIB}


class Fleet:
    """Guests that obey at once, some with memory in their own swap."""

    def __init__(self, swapped: dict[str, int], dead: Sequence[str] = ()) -> None:
        self.swapped = swapped
        self.heap = dict.fromkeys(BIG, 80 * MIB)
        self.dead = dead
        self.told: list[tuple[str, str, object]] = []

    def trouble(self, guest: str) -> str | None:
        return "killed" if guest in self.dead else None

    def latest(self, guest: str) -> SimpleNamespace:
        free = 512 * MIB - self.swapped.get(guest, 0)
        return SimpleNamespace(
            swap_total_bytes=512 * MIB, swap_free_bytes=free, heap_bytes=self.heap[guest]
        )

    def order(self, guest: str, what: str, value: object) -> None:
        self.told.append((guest, what, value))

    def set_hot(self, guest: str, size: int) -> None:
        self.told.append((guest, "hot", size))
        self.heap[guest] = size
        if size == 0:
            self.swapped[guest] = 0


def renewed(fleet: Fleet) -> Sequence[str]:
    return asyncio.run(renew_swapped(fleet, SCHEDULE))  # type: ignore[arg-type] # what it asks of one


def test_who_swapped_lets_go_of_all_and_is_big_once_again() -> None:
    fleet = Fleet({"bob": 100 * MIB, "cleo": SWAPPED_BYTES_MAX})
    assert renewed(fleet) == ["bob"]
    assert fleet.told == [
        ("bob", "keep", "release"),
        ("bob", "hot", 0),
        ("bob", "keep", "cold"),
        ("bob", "rate", 4 * SCHEDULE.rate),
        ("bob", "hot", BIG["bob"]),
        ("bob", "rate", SCHEDULE.rate),
        ("bob", "hot", 80 * MIB),
    ]


def test_nobody_is_touched_who_swapped_nothing_or_is_dead() -> None:
    fleet = Fleet({"bob": 100 * MIB}, dead=("bob",))
    assert renewed(fleet) == []
    assert fleet.told == []
