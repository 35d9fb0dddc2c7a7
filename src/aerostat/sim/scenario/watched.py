"""A simulated driver that writes down what it is asked, and a journal that keeps every round."""

from aerostat.model.events import Event
from aerostat.model.guest import GuestId
from aerostat.ports.driver import EventSink
from aerostat.ports.journal import RoundRecord
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.scenario.recording import Command, Recording
from aerostat.sim.world import World


class WatchedDriver(SimulatedDriver):
    """The simulated driver; every target sent through it is recorded."""

    def __init__(self, world: World, recording: Recording) -> None:
        super().__init__(world)
        self._watched = world
        self._recording = recording
        self._sink: EventSink | None = None

    async def open(self, sink: EventSink) -> None:
        """Start following guests."""
        self._sink = sink
        await super().open(sink)

    async def set_target(self, guest: GuestId, *, target_bytes: int) -> None:
        """Ask for a target, and write that down."""
        if guest in self._watched.guests:
            self._recording.commands.append(
                Command(
                    at_s=self._watched.now_s,
                    guest=self._watched.guests[guest].name,
                    before_bytes=self._watched.guests[guest].target_bytes,
                    target_bytes=target_bytes,
                )
            )
        await super().set_target(guest, target_bytes=target_bytes)

    def announce(self, event: Event) -> None:
        """Tell whoever listens of something that did not happen in a guest."""
        if self._sink is not None:
            self._sink(event)


class RecordedRounds:
    """The port ``Journal`` into a recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def record(self, record: RoundRecord) -> None:
        """Keep a round."""
        self._recording.rounds.append(record)
