"""Where the store is, and what the file may say about it."""

from pathlib import Path

import pytest

from aerostat.config import (
    CommandLine,
    ConfigError,
    default_config,
    load_config,
    store_path_to_read,
    store_path_to_write,
    stored_config,
)
from aerostat.store import Retention


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


def test_the_file_says_how_long_and_how_much(tmp_path: Path) -> None:
    path = tmp_path / "aerostat.toml"
    path.write_text('[store]\npath = "/a/b.db"\nkeep = "2d"\nsize_max = "1GiB"\nenabled = false')
    config = load_config(path)
    assert config.store_path == Path("/a/b.db")
    assert config.retention == Retention(keep_s=2 * 86_400.0, size_bytes_max=1 << 30)
    assert not config.is_store_enabled
    assert default_config().retention == Retention()
    assert default_config().store_path is None


def test_a_store_named_on_the_command_line_is_switched_on(tmp_path: Path) -> None:
    """Who names a store wants one."""
    path = tmp_path / "aerostat.toml"
    path.write_text("[store]\nenabled = false")
    over = load_config(path).overlaid(CommandLine(store=Path("x.db")))
    assert over.store_path == Path.cwd() / "x.db"
    assert over.is_store_enabled
    origins = {setting.key: str(setting.origin) for setting in over.settings()}
    assert origins["store.path"] == "command line, --store"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('path = "x.db"', '"x.db" is not the absolute path of a file'),
        ('path = "/var/lib/"', '"/var/lib/" is not the absolute path of a file'),
        ('size_max = "1MiB"', '"1MiB" is too little: write at least "8MiB"'),
        ('keep = "1m"', 'write a duration from "1h" to "3650d"'),
        ("enabled = 1", "write true or false"),
    ],
)
def test_what_cannot_be_is_refused_with_what_could(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "aerostat.toml"
    path.write_text(f"[store]\n{text}")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert words in str(caught.value)


def test_the_configuration_comes_back_from_the_store(tmp_path: Path) -> None:
    """What a daemon ran with explains its decisions, whatever the file says since."""
    path = tmp_path / "aerostat.toml"
    path.write_text(
        'mode = "enforce"\n[host]\nreserve = "12.5%"\n[[guest]]\nname = "db-*"\nmin = "1GiB"'
    )
    config = load_config(path)
    again = stored_config(config.stored_text())
    assert again is not None
    assert again.engine_params() == config.engine_params()
    assert again.mode is config.mode
    assert stored_config('{"from_the_future": 1}') is None
    assert stored_config("not JSON") is None
