"""Files of conf.d stand over the configuration, and everything says which file it came from."""

from pathlib import Path

import pytest

from aerostat.config import ConfigError, load_config


@pytest.fixture
def path(tmp_path: Path) -> Path:
    main = tmp_path / "aerostat.toml"
    main.write_text(
        'mode = "observe"\n[qmp]\nsockets = ["/run/a.qmp", "/run/b.qmp"]\n'
        '[host]\nreserve = "20%"\n[[guest]]\nname = "db-*"\nweight = 200\n'
    )
    (tmp_path / "conf.d").mkdir()
    return main


def put(path: Path, name: str, text: str) -> Path:
    file = path.parent / "conf.d" / name
    file.write_text(text)
    return file


def shown(path: Path) -> dict[str, tuple[str | None, str]]:
    return {s.key: (s.value, str(s.origin)) for s in load_config(path).settings()}


def test_a_later_file_stands_over_an_earlier_one_key_by_key(path: Path) -> None:
    put(path, "10-site.toml", 'mode = "recommend"\n[host]\nbudget = "8GiB"\n')
    last = put(path, "20-host.toml", '\nmode = "enforce"\n')
    settings = shown(path)
    assert settings["mode"] == ('"enforce"', f"{last}:2")
    assert settings["host.budget"] == ('"8GiB"', f"{path.parent}/conf.d/10-site.toml:3")
    assert settings["host.reserve"] == ('"20%"', f"{path}:5")


def test_a_list_is_replaced_as_a_whole(path: Path) -> None:
    file = put(path, "a.toml", '[qmp]\nsockets = ["/run/c.qmp"]\n')
    assert shown(path)["qmp.sockets"] == ('["/run/c.qmp"]', f"{file}:2")


def test_rules_of_a_later_file_come_first(path: Path) -> None:
    first = put(path, "a.toml", '[[guest]]\nname = "db-1"\nweight = 300\n')
    put(path, "b.toml", '[[guest]]\nname = "router"\nmanaged = false\n')
    config = load_config(path)
    assert [rule.name_glob for rule in config.engine_params().rules] == ["router", "db-1", "db-*"]
    settings = {s.key: str(s.origin) for s in config.settings()}
    assert settings["guest[1].weight"] == f"{first}:3"
    assert settings["guest[2].weight"] == f"{path}:8"


def test_what_is_wrong_is_told_with_the_file_it_is_in(path: Path) -> None:
    one = put(path, "a.toml", '[host]\nreserve = "oops"\n')
    two = put(path, "b.toml", '[[guest]]\nname = "x"\nwieght = 1\n')
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    text = str(caught.value)
    assert f"{one}:2: host.reserve" in text
    assert f"{two}:3: guest[0].wieght" in text


def test_a_file_that_is_no_toml_is_told(path: Path) -> None:
    file = put(path, "a.toml", "mode = observe\n")
    with pytest.raises(ConfigError, match="this is not TOML") as caught:
        load_config(path)
    assert caught.value.path == file


def test_other_files_there_are_left_alone(path: Path) -> None:
    put(path, "a.toml.dpkg-old", "garbage")
    put(path, "README", "garbage")
    assert shown(path)["mode"][0] == '"observe"'
