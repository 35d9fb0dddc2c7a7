"""The documentation page and the example file say what the code does."""

import re
from pathlib import Path

from aerostat.config import default_config, load_config
from aerostat.config.document import Document, GuestsTable, GuestTable

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"
EXAMPLE = ROOT / "etc" / "aerostat.toml"
_ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def documented() -> dict[str, str]:
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len({key for key, _, _ in rows}) == len(rows), "a key is documented twice"
    return {key: default.strip().strip("`") for key, default, _ in rows}


def declared() -> dict[str, str]:
    defaults = {
        setting.key: "not set" if setting.value is None else setting.value
        for setting in default_config().settings()
    }
    for key in GuestTable.model_fields:
        says_whom = key not in GuestsTable.model_fields
        defaults[f"guest[].{key}"] = "one of both is required" if says_whom else "from `[guests]"
    return defaults


def test_the_page_lists_every_key_with_its_default() -> None:
    """A knob that is not documented does not exist, and one that is must be there."""
    assert documented() == declared()


def test_every_table_is_named_on_the_page() -> None:
    """Readers look for the table first."""
    page = PAGE.read_text(encoding="utf-8")
    headings = set(re.findall(r"^## `\[+(\w+)\]+`", page, re.MULTILINE))
    assert headings == set(Document.model_fields) - {"mode", "on_stop", "policy"}


def test_the_example_loads_as_it_is() -> None:
    """It is installed as the first configuration: it observes, whatever it finds."""
    config = load_config(EXAMPLE)
    config.require_guests()
    assert config.engine_params() == default_config().engine_params()
    assert config.mode is default_config().mode


def test_the_examples_commented_keys_are_the_defaults(tmp_path: Path) -> None:
    """Taking a "#" away must change nothing, except where the example says there is no default."""
    without_default = {
        "host.budget": '"48GiB"',
        "guests.max": '"100%"',
        "libvirt.uri": '"qemu:///system"',
        "store.path": '"/var/lib/aerostat/aerostat.db"',
        "store.record": '"1h"',
        "ladder.swap_file": '"/var/lib/aerostat/swap"',
        "ladder.swap_size": '"16GiB"',
        "ladder.touched_period": '"1m"',
        "api.socket": '"/run/aerostat/api.sock"',
        "api.socket_group": '"adm"',
        "api.listen": '"127.0.0.1:9730"',
        "api.token_file": '"/etc/aerostat/token"',
        "api.read_token_file": '"/etc/aerostat/read-token"',
        "api.certificate": '"/etc/aerostat/cert.pem"',
        "api.key": '"/etc/aerostat/key.pem"',
    }
    path = tmp_path / "uncommented.toml"
    path.write_text(re.sub(r"^#(?=\w+ =)", "", EXAMPLE.read_text(), flags=re.MULTILINE))
    shown = {setting.key: setting.value for setting in load_config(path).settings()}
    expected = {setting.key: setting.value for setting in default_config().settings()}
    assert shown == expected | without_default | {"qmp.sockets": '["/run/vm/*.qmp"]'}


def test_the_examples_rules_load_when_uncommented(tmp_path: Path) -> None:
    """The rules are the part that people copy."""
    path = tmp_path / "rules.toml"
    path.write_text(
        re.sub(r"^# (?=\[\[guest\]\]|\w+ = )", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    )
    rules = load_config(path).engine_params().rules
    assert [rule.name_glob for rule in rules] == ["db-*", None, "router"]
    assert [rule.tag_glob for rule in rules] == [None, "batch", None]
    assert rules[0].limits.weight == 200
    assert not rules[2].limits.is_managed
