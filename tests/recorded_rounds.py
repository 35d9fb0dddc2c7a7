"""Rounds as a daemon records them, from the real engine over guests that obey."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from aerostat.model.events import Event
from aerostat.model.host import HostSnapshot
from aerostat.ports.journal import RoundRecord
from aerostat.store import Retention, Store
from builders import WALL_S, World

DEADLINE_S = 120.0


@dataclass(kw_only=True)
class Recorder:
    """Runs a world round by round; its wall clock is its own, unless a test shifts it."""

    world: World
    was_enforced: bool = True
    shift_s: float = 0.0
    number: int = 0
    happened: list[Event] = field(default_factory=list)  # goes into the next round

    @property
    def wall_s(self) -> float:
        return WALL_S + self.shift_s + self.world.now_s

    def round(self, *, elapse_s: float = 0.5) -> RoundRecord:
        self.number += 1
        self.world.events += self.happened
        self.happened = []
        events = tuple(self.world.events)
        wall_s = self.wall_s + elapse_s
        guests = sorted(self.world.guests, key=lambda guest: guest.name)
        # Before the round, since obedient guests move at its end.
        snapshots = tuple(guest.snapshot(wall_s) for guest in guests)
        before = self.world.state
        decided = self.world.round(elapse_s=elapse_s)
        return RoundRecord(
            number=self.number,
            snapshot=HostSnapshot(
                now_s=self.world.now_s,
                wall_s=wall_s,
                memory=self.world.memory,
                guests=snapshots,
            ),
            events=events,
            plan=decided.plan,
            trace=replace(decided.trace, wall_s=wall_s),
            was_enforced=self.was_enforced,
            state=before,
            params=self.world.params,
        )

    def rounds(self, count: int, *, elapse_s: float = 0.5) -> list[RoundRecord]:
        return [self.round(elapse_s=elapse_s) for _ in range(count)]


def wait_until(condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition."""
    give_up_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < give_up_s, f"{what}: not within {deadline_s} s"
        time.sleep(0.005)


def put(store: Store, records: list[RoundRecord]) -> None:
    """Give rounds to a store no faster than it takes them."""
    for record in records:
        wait_until(lambda: store.waiting() < 64, "the store takes rounds")
        store.record(record)


def remember(
    path: Path,
    records: list[RoundRecord],
    *,
    configuration: str | None = None,
    retention: Retention | None = None,
) -> None:
    """Write a whole store."""
    with Store(path, configuration=configuration, retention=retention) as store:
        put(store, records)
        wait_until(lambda: store.waiting() == 0, "all rounds are taken")
    health = store.health()
    assert (health.rounds_dropped, health.trouble) == (0, None), health
