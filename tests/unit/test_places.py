"""Where the daemon's files are, where nobody says otherwise."""

from pathlib import Path

from aerostat.places import (
    api_socket_to_ask,
    api_socket_to_serve,
    store_path_to_read,
    store_path_to_write,
)


def test_the_environment_names_the_folder_of_the_store(tmp_path: Path) -> None:
    """A test run, or a second daemon, stays out of the system's folder."""
    environment = {"AEROSTAT_STATE": str(tmp_path)}
    assert store_path_to_write(environment) == tmp_path / "aerostat.db"
    assert store_path_to_read(environment, system=tmp_path / "none") == tmp_path / "aerostat.db"


def test_who_may_write_the_systems_folder_does(tmp_path: Path) -> None:
    """Also before it is there: making it is part of writing."""
    environment = {"XDG_STATE_HOME": str(tmp_path / "own")}
    system = tmp_path / "lib" / "aerostat"
    assert store_path_to_write(environment, system=system) == system / "aerostat.db"


def test_who_may_not_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """In a file no folder can be made, not even by root."""
    (tmp_path / "file").touch()
    system = tmp_path / "file" / "aerostat"
    own = {"XDG_STATE_HOME": str(tmp_path)}
    assert store_path_to_write(own, system=system) == tmp_path / "aerostat" / "aerostat.db"
    relative = store_path_to_write({"XDG_STATE_HOME": "state"}, system=system)
    assert relative == Path("~/.local/state/aerostat/aerostat.db").expanduser()


def test_readers_find_the_systems_store_where_they_have_none(tmp_path: Path) -> None:
    """The daemon runs as root, and its readers need not."""
    system = tmp_path / "system"
    system.mkdir()
    (system / "aerostat.db").touch()
    own = {"AEROSTAT_STATE": str(tmp_path / "own")}
    assert store_path_to_read(own, system=system) == system / "aerostat.db"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "aerostat.db").touch()
    assert store_path_to_read(own, system=system) == tmp_path / "own" / "aerostat.db"


def test_who_may_not_listen_in_the_systems_folder_does_in_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    system = tmp_path / "file" / "aerostat"
    run = {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_STATE_HOME": str(tmp_path)}
    assert api_socket_to_serve(run, system=system) == tmp_path / "run" / "aerostat" / "api.sock"
    run["XDG_RUNTIME_DIR"] = "run"
    assert api_socket_to_serve(run, system=system) == tmp_path / "aerostat" / "api.sock"


def test_who_asks_finds_its_own_daemon_before_the_systems(tmp_path: Path) -> None:
    system, own = tmp_path / "system", tmp_path / "own"
    environment = {"AEROSTAT_STATE": str(own)}
    assert api_socket_to_ask(environment, system=system) == own / "api.sock"
    for folder in (system, own):
        folder.mkdir()
        (folder / "api.sock").touch()
        assert api_socket_to_ask(environment, system=system) == folder / "api.sock"
