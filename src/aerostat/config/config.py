"""The configuration in force: what the daemon reads, and where each value came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aerostat.config.document import Document
from aerostat.config.drop_ins import Place
from aerostat.config.errors import ConfigError, ConfigProblem
from aerostat.config.lines import KeyPath
from aerostat.config.parameters import engine_params, technique_settings
from aerostat.config.settings import Origin, OriginKind, Setting, key_text, leaves, literal
from aerostat.engine.params import EngineParams
from aerostat.host.techniques.managed import TechniqueSettings
from aerostat.model.modes import Mode, OnStop
from aerostat.store import Retention

_SOCKET_OPTIONS = {
    "qmp": "--qmp",
    "cloud_hypervisor": "--cloud-hypervisor",
    "firecracker": "--firecracker",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """Options that stand above the file. None: not given."""

    mode: Mode | None = None
    # Sockets: paths or globs; relative ones count from here.
    qmp: Sequence[str] | None = None
    cloud_hypervisor: Sequence[str] | None = None
    firecracker: Sequence[str] | None = None
    libvirt: str | None = None  # the address of a libvirt on this host
    store: Path | None = None  # whoever names a store wants one: it switches it on
    record_s: float | None = None  # for so long rounds stay in full; it takes a store


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A configuration that has been checked."""

    document: Document
    path: Path | None = None  # None: no file was read
    places: Mapping[KeyPath, Place] = field(default_factory=dict)  # of all that was written
    options: Mapping[KeyPath, str] = field(default_factory=dict)  # set on the command line

    @property
    def mode(self) -> Mode:
        """How far the daemon goes."""
        return self.document.mode

    @property
    def touched_period_s(self) -> float | None:
        """How often it is looked at what VMs touched; None: it is not."""
        return self.document.ladder.touched_period

    @property
    def on_stop(self) -> OnStop:
        """What becomes of the balloons on a clean stop."""
        return self.document.on_stop

    @property
    def qmp_sockets(self) -> tuple[str, ...]:
        """Absolute paths or globs of QMP sockets."""
        return self.document.qmp.sockets

    @property
    def cloud_hypervisor_sockets(self) -> tuple[str, ...]:
        """Absolute paths or globs of Cloud Hypervisors' API sockets."""
        return self.document.cloud_hypervisor.sockets

    @property
    def firecracker_sockets(self) -> tuple[str, ...]:
        """Absolute paths or globs of Firecrackers' API sockets."""
        return self.document.firecracker.sockets

    @property
    def sockets(self) -> tuple[str, ...]:
        """All of them."""
        return self.qmp_sockets + self.cloud_hypervisor_sockets + self.firecracker_sockets

    @property
    def libvirt_uri(self) -> str | None:
        """The libvirt that runs guests here; None: none does."""
        return self.document.libvirt.uri

    @property
    def store_path(self) -> Path | None:
        """The store's file; None: where it is by default."""
        path = self.document.store.path
        return None if path is None else Path(path)

    @property
    def is_store_enabled(self) -> bool:
        """Whether anything is remembered at all."""
        return self.document.store.enabled

    @property
    def retention(self) -> Retention:
        """How long rounds are kept."""
        store = self.document.store
        return Retention(keep_s=store.keep, size_bytes_max=store.size_max, tape_s=store.record)

    def stored_text(self) -> str:
        """The values in force, for the store; ``stored_config`` reads them back."""
        return self.document.model_dump_json(exclude_none=True)

    def engine_params(self) -> EngineParams:
        """The same, as the engine takes it."""
        return engine_params(self.document)

    def technique_settings(self) -> TechniqueSettings:
        """How the host's own techniques are to be used, once the ladder allows them."""
        return technique_settings(self.document)

    def overlaid(self, command_line: CommandLine) -> "Config":
        """This configuration with the command line's options over it."""
        document, options = self.document, dict(self.options)
        if command_line.mode is not None:
            document = document.model_copy(update={"mode": command_line.mode})
            options["mode",] = "--mode"
        for table, option in _SOCKET_OPTIONS.items():
            patterns: Sequence[str] | None = getattr(command_line, table)
            if patterns is not None:
                sockets = tuple(_from_here(pattern, table) for pattern in patterns)
                changed = getattr(document, table).model_copy(update={"sockets": sockets})
                document = document.model_copy(update={table: changed})
                options[table, "sockets"] = option
        if command_line.libvirt is not None:
            libvirt = document.libvirt.model_copy(update={"uri": command_line.libvirt})
            document = document.model_copy(update={"libvirt": libvirt})
            options["libvirt", "uri"] = "--libvirt"
        if command_line.store is not None:
            named = {"path": str(command_line.store.absolute()), "enabled": True}
            store = document.store.model_copy(update=named)
            document = document.model_copy(update={"store": store})
            options["store", "path"] = "--store"
            options["store", "enabled"] = "--store"
        if command_line.record_s is not None:
            taped = {"record": command_line.record_s, "enabled": True}
            store = document.store.model_copy(update=taped)
            document = document.model_copy(update={"store": store})
            options["store", "record"] = "--record"
            options["store", "enabled"] = "--record"
        return replace(self, document=document, options=options)

    def require_guests(self) -> None:
        """See to it that there is something to look after.

        Raises:
            ConfigError: nothing is named, so the daemon would silently do nothing.
        """
        if self.sockets or self.libvirt_uri is not None:
            return
        key = ("qmp", "sockets")
        place = self.places.get(key, self.places.get(("qmp",)))
        raise ConfigError(
            ConfigProblem(
                path=self.path if place is None else place.path,
                line=None if place is None else place.line,
                key="qmp.sockets",
                message="[] names no guests: write where their QMP sockets are, such as "
                '["/run/vm/*.qmp"], or start with --qmp "/run/vm/*.qmp" or --libvirt qemu:///system',
            )
        )

    def settings(self) -> tuple[Setting, ...]:
        """Every setting in force, in the order of the documentation."""
        dumped = self.document.model_dump(mode="json")
        return tuple(self._setting(path, value, dumped) for path, value in leaves(dumped))

    def _setting(self, path: KeyPath, value: Any, dumped: Mapping[str, Any]) -> Setting:
        if path[0] == "guest" and value is None and path[-1] in dumped["guests"]:
            heir = ("guests", path[-1])
            origin = replace(self._origin(heir), inherited_from=key_text(heir))
            inherited = literal(dumped["guests"][path[-1]])
            return Setting(key=key_text(path), value=inherited, origin=origin)
        return Setting(key=key_text(path), value=literal(value), origin=self._origin(path))

    def _origin(self, path: KeyPath) -> Origin:
        if path in self.options:
            return Origin(kind=OriginKind.COMMAND_LINE, option=self.options[path])
        if path in self.places:
            place = self.places[path]
            return Origin(kind=OriginKind.FILE, path=place.path, line=place.line)
        return Origin(kind=OriginKind.DEFAULT)


def _from_here(pattern: str, table: str) -> str:
    if (table, pattern) == ("qmp", "auto"):
        return pattern
    # Path.resolve would follow links, and a socket is often a link that will move.
    return str(Path(pattern).absolute())
