"""Where the daemon's files are, where nobody says otherwise: store, undo log, socket."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

FILE_NAME = "aerostat.db"
UNDO_NAME = "host-undo.json"
SOCKET_NAME = "api.sock"

SYSTEM_FOLDER = Path("/var/lib/aerostat")
"""What systemd makes for a service with ``StateDirectory=aerostat``."""

SYSTEM_RUN_FOLDER = Path("/run/aerostat")
"""What systemd makes for a service with ``RuntimeDirectory=aerostat``."""


def store_path_to_write(
    environment: Mapping[str, str] | None = None, *, system: Path = SYSTEM_FOLDER
) -> Path:
    """Where a daemon of this user writes: the system's folder if it may, else the user's own.

    ``AEROSTAT_STATE`` names another folder.
    """
    return _folder_to_write(environment, system, _own_folder) / FILE_NAME


def undo_path(
    environment: Mapping[str, str] | None = None, *, system: Path = SYSTEM_FOLDER
) -> Path:
    """Where the daemon writes down what it changes on the host, before it does: by its store."""
    return store_path_to_write(environment, system=system).with_name(UNDO_NAME)


def store_path_to_read(
    environment: Mapping[str, str] | None = None, *, system: Path = SYSTEM_FOLDER
) -> Path:
    """Where this user finds what a daemon wrote: its own if there is one, else the system's."""
    return _one_that_is_there(store_path_to_write(environment, system=system), system)


def api_socket_to_serve(
    environment: Mapping[str, str] | None = None, *, system: Path = SYSTEM_RUN_FOLDER
) -> Path:
    """Where a daemon of this user listens: the system's folder if it may, else the user's own.

    ``AEROSTAT_STATE`` names another folder.
    """
    return _folder_to_write(environment, system, _own_run_folder) / SOCKET_NAME


def api_socket_to_ask(
    environment: Mapping[str, str] | None = None, *, system: Path = SYSTEM_RUN_FOLDER
) -> Path:
    """Where this user finds a daemon: its own if there is one, else the system's."""
    return _one_that_is_there(api_socket_to_serve(environment, system=system), system)


def _folder_to_write(
    environment: Mapping[str, str] | None, system: Path, own: Callable[[Mapping[str, str]], Path]
) -> Path:
    environment = os.environ if environment is None else environment
    if named := environment.get("AEROSTAT_STATE"):
        return Path(named).absolute()
    return system if _is_writable(system) else own(environment)


def _one_that_is_there(own: Path, system: Path) -> Path:
    """This user's own file, or the system's where only that is there."""
    systems = system / own.name
    return systems if not own.exists() and systems.exists() else own


def _own_run_folder(environment: Mapping[str, str]) -> Path:
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    return Path(runtime) / "aerostat" if runtime.startswith("/") else _own_folder(environment)


def _own_folder(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME", "")
    # A relative path there is to be ignored, says the specification of these folders.
    base = Path(state) if state.startswith("/") else Path("~/.local/state").expanduser()
    return base / "aerostat"


def _is_writable(folder: Path) -> bool:
    """Whether files can be made in it, or it can be made."""
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
