"""What the file may say about the store, and that the store gives the file's values back."""

from pathlib import Path

import pytest

from aerostat.config import CommandLine, ConfigError, default_config, load_config, stored_config
from aerostat.store import Retention


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
