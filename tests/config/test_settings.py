import json
import os
from pathlib import Path

import pytest

from aerostat.config import CommandLine, ConfigError, OriginKind, default_config, load_config
from aerostat.model.modes import Mode

TEXT = """\
mode = "recommend"
[qmp]
sockets = ["/run/a.qmp"]
[guests]
min = "0.5GiB"
[[guest]]
name = "db-*"
weight = 200
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "aerostat.toml"
    path.write_text(TEXT)
    return path


def test_every_setting_says_where_it_came_from(path: Path) -> None:
    """`config show` answers "why is it so?" with a line or an option."""
    config = load_config(path).overlaid(CommandLine(mode=Mode.ENFORCE))
    shown = {setting.key: (setting.value, str(setting.origin)) for setting in config.settings()}
    assert shown["mode"] == ('"enforce"', "command line, --mode")
    assert shown["qmp.sockets"] == ('["/run/a.qmp"]', f"{path}:3")
    assert shown["guests.min"] == ('"512MiB"', f"{path}:5")
    assert shown["guest[0].min"] == ('"512MiB"', f"guests.min ({path}:5)")
    assert shown["guest[0].weight"] == ("200", f"{path}:8")
    assert shown["guest[0].managed"] == ("true", "guests.managed (default)")
    assert shown["host.reserve"] == ('"10%"', "default")
    assert shown["host.budget"] == (None, "default")


def test_the_command_line_stands_above_the_file(path: Path) -> None:
    """What was typed last and nearest wins; what was not typed stays."""
    config = load_config(path)
    over = config.overlaid(CommandLine(mode=Mode.ENFORCE, qmp=["vm/*.qmp", "/run/b.qmp"]))
    assert (config.mode, over.mode) == (Mode.RECOMMEND, Mode.ENFORCE)
    assert over.qmp_sockets == (f"{os.getcwd()}/vm/*.qmp", "/run/b.qmp")  # noqa: PTH109
    assert over.engine_params() == config.engine_params()
    assert config.overlaid(CommandLine()).settings() == config.settings()


def test_without_a_file_the_sockets_come_from_the_command_line() -> None:
    """`aerostat run --qmp '/run/vm/*.qmp'` needs no file."""
    config = default_config(qmp=["/run/vm/*.qmp"])
    config.require_guests()
    assert config.qmp_sockets == ("/run/vm/*.qmp",)
    origins = {setting.key: setting.origin.kind for setting in config.settings()}
    assert origins["qmp.sockets"] is OriginKind.COMMAND_LINE
    assert origins["mode"] is OriginKind.DEFAULT


def test_nobody_to_look_after_is_an_error(tmp_path: Path) -> None:
    """A daemon that silently does nothing is worse than one that does not start."""
    with pytest.raises(ConfigError, match="--qmp") as caught:
        default_config().require_guests()
    assert caught.value.exit_status == 2
    path = tmp_path / "none.toml"
    path.write_text("\n[qmp]\n")
    with pytest.raises(ConfigError, match=r"none\.toml:2: qmp\.sockets: "):
        load_config(path).require_guests()


def test_the_settings_shown_can_be_read_back(path: Path, tmp_path: Path) -> None:
    """Values are shown in exact TOML: pasted into a file they give the same parameters."""
    config = load_config(path)
    tables: dict[str, list[str]] = {}
    for setting in config.settings():
        table, _, key = setting.key.rpartition(".")
        if setting.value is not None:
            json.loads(setting.value)
            tables.setdefault(table, []).append(f"{key} = {setting.value}")
    again = tmp_path / "again.toml"
    heads = {"": "", "guest[0]": "[[guest]]\n"}
    again.write_text(
        "".join(heads.get(t, f"[{t}]\n") + "\n".join(keys) + "\n" for t, keys in tables.items())
    )
    assert load_config(again).engine_params() == config.engine_params()
