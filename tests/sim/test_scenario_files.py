"""A scenario that is wrong is refused with file, line, key and remedy."""

from pathlib import Path

import pytest

from aerostat.sim.scenario.read import ScenarioError, load_scenario
from aerostat.units import GIB, MIB

GOOD = """\
title = "Nothing happens"
source = "here"
must_happen = "nothing"
protects = "peace"
duration = "10s"

[peer]
policy = "static"
breaks = ["it serves"]
because = "it does not"

[[guest]]
name = "vm"
ram = "1GiB"
hot = "100MiB"

[[at]]
time = "5s"
guest = "vm"
hot = "none"

[[must]]
name = "it serves"
check = "served_at_least"
guest = "vm"
ratio = "99%"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "tried.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path, GOOD))
    assert scenario.names == ("vm",)
    assert scenario.guest[0].ram == GIB
    assert scenario.guest[0].load().hot_bytes == 100 * MIB
    assert scenario.at[0].hot == 0
    assert scenario.at[0].times_s(10.0) == (5.0,)


def test_several_alike_are_numbered(tmp_path: Path) -> None:
    text = GOOD.replace('name = "vm"', 'name = "vm"\ncount = 3').replace(
        'guest = "vm"', 'guest = "vm-*"'
    )
    assert load_scenario(write(tmp_path, text)).names == ("vm-00", "vm-01", "vm-02")


def test_a_happening_comes_again_until_told_otherwise(tmp_path: Path) -> None:
    text = GOOD.replace('time = "5s"', 'time = "5s"\nevery = "2s"\nuntil = "9s"')
    assert load_scenario(write(tmp_path, text)).at[0].times_s(10.0) == (5.0, 7.0)


WRONG = {
    "unknown key at the top": ("duration", "durations", 5, "durations", 'did you mean'),
    "missing key": ('protects = "peace"\n', "", None, "protects", "protects is missing"),
    "no size": ('"1GiB"', '"much"', 14, "guest[0].ram", "not a size"),
    "unknown policy": ('"static"', '"clever"', 8, "peer.policy", "is not one of"),
    "unknown key of a check": ('ratio = "99%"', 'ratios = "99%"', 26, "must[0].ratios", "ratio"),
    "unknown check": (
        "served_at_least", "served_at_last", 24, "must[0].check", '"served_at_least"?'
    ),
    "no check": ('check = "served_at_least"\n', "", 22, "must[0]", "what to check"),
    "unknown guest": ('guest = "vm"\nhot', 'guest = "db"\nhot', 19, "at[0].guest", "no guest"),
    "unknown guest in a check": (
        'guest = "vm"\nratio', 'guest = "db"\nratio', 25, "must[0].guest", "the guests are vm"
    ),
    "to nobody": ('guest = "vm"\nhot', "hot", 17, "at[0]", "to whom"),
    "nothing happens": ('hot = "none"\n', "", 17, "at[0]", "nothing happens"),
    "after the end": ('time = "5s"', 'time = "11s"', 18, "at[0].time", "after the end"),
    "a window that is none": (
        'ratio = "99%"', 'ratio = "99%"\nafter = "5s"\nuntil = "4s"', 28, "must[0].until",
        "ends before it begins",
    ),
    "breaks no check": (
        'breaks = ["it serves"]', 'breaks = ["it flies"]', 9, "peer.breaks", "the checks are"
    ),
    "asks without coming": ('hot = "100MiB"', 'asks = "5s"', 15, "guest[0].asks", "appears"),
    "two of a name": (
        "[[at]]", '[[guest]]\nname = "vm"\nram = "1GiB"\n\n[[at]]', 18, "guest[1].name", "another"
    ),
    "a cell that breaks the page": ('"peace"', '"peace | war"', 4, "protects", "stands in a table"),
    "a fault nobody knows": (
        'hot = "none"', "fault = { stuck = true }", 20, "at[0].fault.stuck", "stalled"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    good, bad, line, key, words = WRONG[name]
    assert GOOD.count(good) >= 1
    path = write(tmp_path, GOOD.replace(good, bad, 1))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    problems = {problem.key: problem for problem in caught.value.problems}
    assert key in problems, caught.value
    assert problems[key].path == path
    assert problems[key].line == line
    assert words in problems[key].message


def test_nobody_failing_is_refused(tmp_path: Path) -> None:
    """A scenario in which nobody ever fails proves nothing."""
    start, end = GOOD.index("[peer]"), GOOD.index("[[guest]]")
    with pytest.raises(ScenarioError, match="nothing is said to fail"):
        load_scenario(write(tmp_path, GOOD[:start] + GOOD[end:]))


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(tmp_path, GOOD + "\nduration\n"))
    assert caught.value.line == 28
    assert "not TOML" in caught.value.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(tmp_path / "none.toml")
