"""A schedule is read strictly, and what is wrong is told with its place and remedy."""

import json
from pathlib import Path

import pytest

from aerostat.lab.schedule import SYSTEM_BYTES
from aerostat.lab.schedule_file import (
    ScheduleError,
    load_packaged_schedule,
    load_schedule,
    packaged_schedules,
)
from aerostat.units import MIB

GOOD = """\
rate = 2000
slo = "20ms"
budget = "700MiB"
warm_up = "6s"
settle = "4s"

[[guest]]
name = "ada"
ram = "512MiB"

[[guest]]
name = "bob"
ram = "256MiB"
keep = "cold"
swap = "zram"
swap_size = "128MiB"

[[phase]]
duration = "12s"
hot = { ada = "350MiB", bob = "80MiB" }

[[phase]]
duration = "6s"
hot = { ada = "100MiB", bob = "150MiB" }
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_a_schedule_is_read(tmp_path: Path) -> None:
    schedule = load_schedule(write(tmp_path, GOOD))
    assert schedule.name == "mine"
    assert (schedule.rate, schedule.slo_s, schedule.budget_bytes) == (2000, 0.02, 700 * MIB)
    ada, bob = schedule.guests
    assert (ada.ram_bytes, ada.keep, ada.swap) == (512 * MIB, "release", "vda")
    assert (bob.keep, bob.swap, bob.swap_bytes) == ("cold", "zram", 128 * MIB)
    assert schedule.phases[1].hot_bytes == {"ada": 100 * MIB, "bob": 150 * MIB}
    assert schedule.duration_s == 18


def test_the_warm_up_lets_every_guest_be_big_once(tmp_path: Path) -> None:
    turns = load_schedule(write(tmp_path, GOOD)).warm_up()
    assert [dict(turn.hot_bytes) for turn in turns] == [
        {"ada": 350 * MIB, "bob": 80 * MIB},
        {"ada": 100 * MIB, "bob": 150 * MIB},
        {"ada": 350 * MIB, "bob": 80 * MIB},  # as the first phase has it
    ]
    assert [turn.duration_s for turn in turns] == [6, 6, 4]


def test_scaling_changes_the_phases_only(tmp_path: Path) -> None:
    schedule = load_schedule(write(tmp_path, GOOD))
    scaled = schedule.scaled(0.5)
    assert [phase.duration_s for phase in scaled.phases] == [6, 3]
    assert scaled.warm_up() == schedule.warm_up()


def test_machines_start_in_the_first_phase_each_with_its_own_seed(tmp_path: Path) -> None:
    ada, bob = load_schedule(write(tmp_path, GOOD)).machine_specs("tcg")
    assert ada.workload.hot_bytes == 350 * MIB
    assert bob.workload.keep == "cold"
    assert ada.workload.seed != bob.workload.seed
    assert {ada.accelerator, bob.accelerator} == {"tcg"}


def test_the_world_is_plain_json(tmp_path: Path) -> None:
    world = load_schedule(write(tmp_path, GOOD)).as_world()
    assert json.loads(json.dumps(world))["seed"] == 1


def test_every_packaged_schedule_is_right() -> None:
    assert "rotate" in packaged_schedules()
    for name in packaged_schedules():
        assert load_packaged_schedule(name).name == name


def test_an_unknown_packaged_schedule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ScheduleError, match=r"there are: .*rotate"):
        load_packaged_schedule("rotato")


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("rate = 2000", "rat = 2000", 1, "rat", 'did you mean "rate"'),
        ("rate = 2000\n", "", None, "rate", "write rate = 2000"),
        ("rate = 2000", "rate = true", 1, "rate", "valid integer"),
        ("rate = 2000", "rate = 0", 1, "rate", "greater than 0"),
        ('"20ms"', '"20"', 2, "slo", "not a duration"),
        ('"20ms"', '"1h"', 2, "slo", "out of range"),
        ('"700MiB"', "700", 3, "budget", "not a size"),
        ('"700MiB"', '"2GiB"', 3, "budget", "write less than 768MiB"),
        ('name = "bob"', 'name = "ada"', 12, "guest[1].name", "another guest ada"),
        ('name = "ada"', 'name = "a/b"', 7, "guest[0]", "cannot name a machine"),
        ('ram = "256MiB"', 'ram = "256"', 13, "guest[1].ram", "not a size"),
        ('ram = "256MiB"', 'ram = "64MiB"', 11, "guest[1]", "at least 96 MiB"),
        ('keep = "cold"', 'keep = "warm"', 14, "guest[1].keep", "'release' or 'cold'"),
        ('swap = "zram"', 'swop = "zram"', 15, "guest[1].swop", 'did you mean "swap"'),
        ('"350MiB"', '"500MiB"', 20, "phase[0].hot.ada", "write at most 440MiB"),
        (', bob = "150MiB"', "", 24, "phase[1].hot", "guest bob has no hot set"),
        ('bob = "150MiB"', 'bob = "1MiB", eve = "1MiB"', 24, "phase[1].hot.eve", "no guest eve"),
    ],
)
def test_what_is_wrong_is_told_with_line_key_and_remedy(
    tmp_path: Path, old: str, new: str, line: int | None, key: str, words: str
) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ScheduleError) as caught:
        load_schedule(path)
    found = {problem.key: problem for problem in caught.value.problems}
    assert found[key].line == line
    assert words in found[key].message
    assert str(path) in str(caught.value)
    assert caught.value.exit_status == 2


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    broken = GOOD.replace('"20ms"', '"x"').replace('"6s"', '"y"', 1).replace('"256MiB"', '"z"')
    with pytest.raises(ScheduleError) as caught:
        load_schedule(write(tmp_path, broken))
    assert [problem.line for problem in caught.value.problems] == [2, 4, 13]


def test_a_file_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScheduleError) as caught:
        load_schedule(write(tmp_path, "rate = 2000\nslo =\n"))
    assert caught.value.line == 2


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match="No such file"):
        load_schedule(tmp_path / "none.toml")


def test_a_hot_set_must_leave_room_for_the_guests_own_system(tmp_path: Path) -> None:
    fits = (512 * MIB - SYSTEM_BYTES) // MIB
    load_schedule(write(tmp_path, GOOD.replace("350MiB", f"{fits}MiB")))
    with pytest.raises(ScheduleError):
        load_schedule(write(tmp_path, GOOD.replace("350MiB", f"{fits + 1}MiB")))
