"""SIGHUP: the configuration is read again, and used as a whole or not at all."""

from collections.abc import Callable

import structlog

from aerostat.config import Config, ConfigError
from aerostat.model.modes import Mode

FIXED = ("qmp", "libvirt", "cloud_hypervisor", "firecracker", "store", "api", "ladder")
"""Tables that take a restart, which costs nothing: balloons stay as they are, and are taken up."""


class Reloader:
    """Holds the configuration in force."""

    def __init__(
        self,
        config: Config,
        read_again: Callable[[], Config],
        use: Callable[[Config], None],
    ) -> None:
        """``use``: puts a configuration into force, all of it."""
        self.config = config
        self._read_again = read_again
        self._use = use
        self._log = structlog.get_logger()

    def reload(self) -> None:
        """Read the configuration again; one that is wrong in any way changes nothing."""
        try:
            config = self._read_again()
            config.require_guests()
        except ConfigError as error:
            self._log.error("reload_refused", detail=str(error))
            return
        if (obstacle := _obstacle(self.config, config)) is not None:
            self._log.error("reload_refused", detail=obstacle)
            return
        before = {setting.key: setting.value for setting in self.config.settings()}
        changed = [s.key for s in config.settings() if before.get(s.key, "") != s.value]
        gone = sorted(before.keys() - {setting.key for setting in config.settings()})
        self.config = config
        self._use(config)
        self._log.info("reloaded", changed=changed + gone, mode=config.mode.value)


def _obstacle(before: Config, after: Config) -> str | None:
    """What of a new configuration cannot be used while running."""
    for table in FIXED:
        if getattr(before.document, table) != getattr(after.document, table):
            return f"[{table}] has changed: that takes a restart, which leaves VMs as they are"
    if before.mode is not after.mode and after.engine_params().ladder.acts_on_host:
        return "mode has changed, and the ladder has steps of the host: that takes a restart"
    if (before.mode is Mode.OBSERVE) != (after.mode is Mode.OBSERVE):
        return (
            f"mode has changed from {before.mode.value} to {after.mode.value}: observing leaves "
            "the guests' drivers alone, so that takes a restart"
        )
    return None
