"""The operator's word: a TOML file, the command line over it, defaults under it."""

from aerostat.config.config import CommandLine, Config
from aerostat.config.errors import ConfigError, ConfigProblem
from aerostat.config.load import DEFAULT_PATH, default_config, load_config, stored_config
from aerostat.config.settings import Origin, OriginKind, Setting

__all__ = [
    "DEFAULT_PATH",
    "CommandLine",
    "Config",
    "ConfigError",
    "ConfigProblem",
    "Origin",
    "OriginKind",
    "Setting",
    "default_config",
    "load_config",
    "stored_config",
]
