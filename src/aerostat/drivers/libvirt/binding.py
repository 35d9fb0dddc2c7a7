"""The one place that touches libvirt-python: connections, events, and every call that is made.

The functions here block. They run in a lane's thread, on that lane's connection.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from aerostat.drivers.libvirt.errors import (
    CallRefusedError,
    ConnectionLostError,
    DomainGoneError,
)
from aerostat.ports.errors import AerostatError
from aerostat.units import KIB

METADATA_URI = "urn:aerostat:vm"
_KEEPALIVE_S = 5  # of a libvirtd that hangs, connections end after three of these
_KEEPALIVE_COUNT = 3
_NO_DOMAIN = 42
_NOT_RUNNING = 55
_EVENTS = (
    "LIFECYCLE",
    "REBOOT",
    "BALLOON_CHANGE",
    "AGENT_LIFECYCLE",
    "JOB_COMPLETED",
    "MIGRATION_ITERATION",
    "METADATA_CHANGE",
    "DEVICE_ADDED",
    "DEVICE_REMOVED",
)
EventTap = Callable[[str, str, tuple[Any, ...]], None]
"""Takes an event's name, the domain's UUID and what libvirt says with it; in libvirt's thread."""


class LibvirtMissingError(AerostatError):
    """libvirt-python is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "libvirt-python is not installed: pip install '.[libvirt]' in a checkout "
            "(it is built against libvirt's headers: apt-get install libvirt-dev pkg-config gcc)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDomain:
    """A domain as the bulk call tells of it, nothing of it read yet."""

    uuid: str
    name: str
    number: int  # another for every start of the same domain
    fields: Mapping[str, object]


class Binding:
    """libvirt-python, loaded and with its event loop running; one for the whole process."""

    _shared: "Binding | None" = None
    _lock = threading.Lock()

    def __init__(self, libvirt: ModuleType, libvirt_qemu: ModuleType) -> None:
        self._libvirt = libvirt
        self._qemu = libvirt_qemu

    @classmethod
    def load(cls) -> "Binding":
        """Load it once; later calls give the same.

        Raises:
            LibvirtMissingError: it is not installed.
        """
        with cls._lock:
            if cls._shared is None:
                try:
                    import libvirt  # noqa: PLC0415 # an extra: most hosts have none
                    import libvirt_qemu  # noqa: PLC0415
                except ImportError as error:
                    raise LibvirtMissingError from error
                cls._shared = cls(libvirt, libvirt_qemu)
                _run_events(libvirt)
            return cls._shared

    def connector(self, uri: str, *, is_read_only: bool = False) -> Callable[[Any], Any]:
        """Return what gives a lane its connection: the last one while it is alive, or another."""
        open_it = self._libvirt.openReadOnly if is_read_only else self._libvirt.open

        def connect(last: Any) -> Any:
            if last is not None:
                with contextlib.suppress(self._libvirt.libvirtError):
                    if last.isAlive():
                        return last
                self.disconnect(last)
            try:
                connection = open_it(uri)
                connection.setKeepAlive(_KEEPALIVE_S, _KEEPALIVE_COUNT)
            except self._libvirt.libvirtError as error:
                raise ConnectionLostError(_text(error)) from error
            return connection

        return connect

    def disconnect(self, connection: Any) -> None:
        """Close a connection, dead or alive."""
        if connection is not None:
            with contextlib.suppress(self._libvirt.libvirtError):
                connection.close()

    def read_all(self, connection: Any) -> tuple[RawDomain, ...]:
        """All running domains with their state and, where libvirt can ask them, their figures.

        A domain that some other call waits for has none. One whose QEMU has just begun to hang
        keeps this call waiting.
        """
        libvirt = self._libvirt
        wanted = libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_BALLOON
        flags = (
            libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
            | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        )
        with self._errors(connection):
            found = connection.getAllDomainStats(wanted, flags)
        return tuple(
            RawDomain(uuid=d.UUIDString(), name=d.name(), number=d.ID(), fields=fields)
            for d, fields in found
        )

    def disk_reads(self, connection: Any, uuids: Iterable[str]) -> Mapping[str, int]:
        """Bytes that each domain has read from all its disks together; who cannot say is left out.

        Waits for its turn on each domain, and asks QEMU for counters alone.
        """
        found: dict[str, int] = {}
        for uuid in uuids:
            with contextlib.suppress(DomainGoneError, CallRefusedError), self._errors(connection):
                _, read_bytes, *_ = connection.lookupByUUIDString(uuid).blockStats("")
                if read_bytes >= 0:
                    found[uuid] = read_bytes
        return found

    def versions(self, connection: Any) -> tuple[str, str | None]:
        """Of libvirt, and of the QEMU that it would start; None: it finds none."""
        with self._errors(connection):
            libvirt = _version(connection.getLibVersion())
        with contextlib.suppress(self._libvirt.libvirtError):
            return libvirt, _version(connection.getVersion())
        return libvirt, None

    def describe(self, connection: Any, uuid: str) -> str:
        """The domain's XML as it runs."""
        with self._errors(connection):
            return str(connection.lookupByUUIDString(uuid).XMLDesc())

    def job_of(self, connection: Any, uuid: str) -> Mapping[str, object]:
        """What job of libvirt runs on the domain; waits for its turn there."""
        with self._errors(connection):
            job: Mapping[str, object] = connection.lookupByUUIDString(uuid).jobStats()
            return job

    def waiting_for_s(self, connection: Any, uuid: str) -> float | None:
        """For how long libvirt has waited for this domain's QEMU; None: it does not. At once."""
        with self._errors(connection):
            state, _, since_ms = connection.lookupByUUIDString(uuid).controlInfo()
        return since_ms / 1000 if state == self._libvirt.VIR_DOMAIN_CONTROL_OCCUPIED else None

    def set_target(self, connection: Any, uuid: str, number: int, target_bytes: int) -> None:
        """Ask for a target, unless a job runs: it would wait for the end of a migration.

        Raises:
            CallRefusedError: also because of a job; nothing was sent.
        """
        with self._errors(connection):
            domain = connection.lookupByUUIDString(uuid)
            if domain.ID() != number:
                raise DomainGoneError("it has been started anew meanwhile")
            if domain.jobStats().get("type", 0) != self._libvirt.VIR_DOMAIN_JOB_NONE:
                raise CallRefusedError(_NOT_RUNNING, "a job of libvirt runs on it: hands off")
            domain.setMemoryFlags(target_bytes // KIB, self._libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def set_period(self, connection: Any, uuid: str, period_s: int) -> None:
        """Let the guest report so often, as long as the domain runs."""
        with self._errors(connection):
            domain = connection.lookupByUUIDString(uuid)
            domain.setMemoryStatsPeriod(period_s, self._libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def ask_agent(self, connection: Any, uuid: str, command: str, deadline_s: int) -> str:
        """Send one command to the guest agent and return its untrusted answer."""
        with self._errors(connection):
            domain = connection.lookupByUUIDString(uuid)
            return str(self._qemu.qemuAgentCommand(domain, command, deadline_s, 0))

    def follow(self, connection: Any, tap: EventTap) -> None:
        """Hand every event of every domain to ``tap`` for as long as the connection lives."""
        libvirt = self._libvirt

        def on_event(_connection: Any, domain: Any, *said: Any) -> None:
            *words, name = said
            tap(name, domain.UUIDString(), tuple(words))

        def on_monitor_event(_connection: Any, domain: Any, name: str, *_said: Any) -> None:
            tap(name, domain.UUIDString(), ())

        with self._errors(connection):
            for name in _EVENTS:
                number = getattr(libvirt, f"VIR_DOMAIN_EVENT_ID_{name}")
                connection.domainEventRegisterAny(None, number, on_event, name)
            connection.registerCloseCallback(lambda *_: tap("CLOSED", "", ()), None)
        # libvirt has no event of its own for a power button; a session's user may not have this.
        with contextlib.suppress(libvirt.libvirtError):
            self._qemu.qemuMonitorEventRegister(
                connection, None, "POWERDOWN", on_monitor_event, None
            )

    @contextlib.contextmanager
    def _errors(self, connection: Any) -> Iterator[None]:
        try:
            yield
        except self._libvirt.libvirtError as error:
            code = error.get_error_code() or 0
            if not connection.isAlive():
                raise ConnectionLostError(_text(error)) from error
            if code == _NO_DOMAIN or (code == _NOT_RUNNING and "not running" in _text(error)):
                raise DomainGoneError(_text(error)) from error
            raise CallRefusedError(code, _text(error)) from error


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def _text(error: Any) -> str:
    return str(error.get_error_message() or error)


def _run_events(libvirt: ModuleType) -> None:
    """Run libvirt's own event loop; it must be there before the first connection is."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # else: on stderr
    libvirt.virEventRegisterDefaultImpl()

    def run() -> None:
        while True:
            with contextlib.suppress(libvirt.libvirtError):
                libvirt.virEventRunDefaultImpl()

    threading.Thread(target=run, name="libvirt-events", daemon=True).start()
