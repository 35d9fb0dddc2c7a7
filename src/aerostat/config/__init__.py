"""The operator's word: a TOML file, the command line over it, defaults under it."""

from aerostat.config.config import CommandLine, Config
from aerostat.config.errors import ConfigError, ConfigProblem
from aerostat.config.load import DEFAULT_PATH, default_config, load_config, stored_config
from aerostat.config.settings import Origin, OriginKind, Setting
from aerostat.config.state import (
    UNDO_NAME,
    api_socket_to_ask,
    api_socket_to_serve,
    store_path_to_read,
    store_path_to_write,
    undo_path,
)

__all__ = [
    "DEFAULT_PATH",
    "UNDO_NAME",
    "CommandLine",
    "Config",
    "ConfigError",
    "ConfigProblem",
    "Origin",
    "OriginKind",
    "Setting",
    "api_socket_to_ask",
    "api_socket_to_serve",
    "default_config",
    "load_config",
    "store_path_to_read",
    "store_path_to_write",
    "stored_config",
    "undo_path",
]
