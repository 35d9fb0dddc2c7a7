"""The roll of VMs: which watch answers to which id, and what becomes of events."""

from pathlib import Path

from aerostat.drivers.sockets.guest import Identity
from aerostat.drivers.sockets.registry import Registry
from aerostat.drivers.sockets.watch import Watch
from aerostat.model.events import Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.ports.driver import EventSink


class Roll:
    """Enters VMs as they say who they are, strikes them off, and passes on their events.

    A VM that has not yet said who it is, and one that claims the id of another, are listed by the
    path of their socket.
    """

    def __init__(self) -> None:
        self.watches: dict[Path, Watch] = {}
        self._registry = Registry()
        self._sink: EventSink | None = None

    def tell_to(self, sink: EventSink) -> None:
        """Events go to ``sink`` from now on."""
        self._sink = sink

    def present(self) -> dict[GuestId, Watch]:
        """The VMs that are there now, answering or not."""
        return {self._listed_id(w): w for w in self.watches.values() if w.is_there}

    def find(self, guest: GuestId) -> Watch | None:
        """The VM that is listed by this id, if it is there."""
        holder = self._registry.holder(guest)
        watch = self.watches.get(Path(guest) if holder is None else holder)
        is_it = watch is not None and watch.is_there and self._listed_id(watch) == guest
        return watch if is_it else None

    def rivalry(self, watch: Watch) -> str | None:
        """Why this VM is left alone, if another holds the id it claims."""
        identity = watch.identity
        if identity is None or self._registry.holds(identity.guest, watch.path):
            return None
        holder = self._registry.rivals(identity.guest, watch.path)[0]
        return f"it claims the id {identity.guest}, which the VM at {holder} has: it is left alone"

    def rivals(self, watch: Watch) -> tuple[str, ...]:
        """A sentence on each VM that claims the id which this one holds."""
        assert watch.identity is not None
        paths = self._registry.rivals(watch.identity.guest, watch.path)
        return tuple(f"the VM at {path} claims the same id and is left alone" for path in paths)

    def on_appeared(self, watch: Watch) -> None:
        """Enter a VM that has said who it is."""
        assert watch.identity is not None
        if self._registry.claim(watch.identity.guest, watch.path):
            self._tell_lifecycle(watch.identity.guest, LifecycleKind.APPEARED)

    def on_disappeared(self, watch: Watch, identity: Identity) -> None:
        """Strike a VM off, and let one that waited for its id have it."""
        was_holder = self._registry.holds(identity.guest, watch.path)
        heir = self._registry.release(identity.guest, watch.path)
        if was_holder:
            self._tell_lifecycle(identity.guest, LifecycleKind.DISAPPEARED)
        if heir is not None:
            self._tell_lifecycle(identity.guest, LifecycleKind.APPEARED)

    def on_event(self, watch: Watch, event: Event) -> None:
        """Pass on what happens to a VM, if it is the one that answers to its id."""
        identity = watch.identity
        watch.rest.stir(watch.clock.now_s())
        if identity is not None and self._registry.holds(identity.guest, watch.path):
            self._tell(event)

    def _listed_id(self, watch: Watch) -> GuestId:
        identity = watch.identity
        if identity is not None and self._registry.holds(identity.guest, watch.path):
            return identity.guest
        return GuestId(str(watch.path))

    def _tell_lifecycle(self, guest: GuestId, kind: LifecycleKind) -> None:
        self._tell(LifecycleChanged(guest=guest, kind=kind))

    def _tell(self, event: Event) -> None:
        if self._sink is not None:
            self._sink(event)
