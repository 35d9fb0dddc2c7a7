from pathlib import Path

import pytest

from aerostat.config import ConfigError, ConfigProblem, default_config, load_config, stored_config
from aerostat.engine.params import EngineParams
from aerostat.model.limits import Amount
from aerostat.model.modes import Mode, OnStop
from aerostat.policy.params import PolicyName
from aerostat.ports.errors import AerostatError

FULL = """\
mode = "enforce"
on_stop = "release"
policy = "static"
[qmp]
sockets = ["/run/vm/*.qmp"]
[host]
budget = "900MiB"
reserve = "8GiB"
burst_reserve = "2.5%"
[guests]
min = "20%"
weight = 50
[[guest]]
name = "db-*"
min = "1GiB"
max = "4GiB"
weight = 200
[[guest]]
name = "router"
managed = false
[advanced]
round = "500ms"
step_rate = "64MiB"
lookahead = "4s"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "aerostat.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> tuple[ConfigProblem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(written(folder, text))
    return caught.value.problems


def only_problem(folder: Path, text: str) -> ConfigProblem:
    found = problems(folder, text)
    assert len(found) == 1, found
    return found[0]


def test_a_file_becomes_the_engines_parameters(tmp_path: Path) -> None:
    """Every table reaches the engine, in bytes, seconds and ratios."""
    config = load_config(written(tmp_path, FULL))
    params = config.engine_params()
    assert (config.mode, config.on_stop) == (Mode.ENFORCE, OnStop.RELEASE)
    assert config.qmp_sockets == ("/run/vm/*.qmp",)
    assert params.policy is PolicyName.STATIC
    assert params.host.budget_bytes == 900 << 20
    assert params.host.reserve == Amount(size_bytes=8 << 30)
    assert params.host.burst_reserve == Amount(max_ratio=0.025)
    assert params.round_s == pytest.approx(0.5)
    assert params.guard.step_rate_max == 64 << 20
    assert params.adaptive.lookahead_s == pytest.approx(4)


def test_a_rule_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    """[guests] holds for a rule too; rules keep their order, since the first match wins."""
    db, router = load_config(written(tmp_path, FULL)).engine_params().rules
    assert (db.name_glob, router.name_glob) == ("db-*", "router")
    assert db.limits.minimum == Amount(size_bytes=1 << 30)
    assert db.limits.maximum == Amount(size_bytes=4 << 30)
    assert (db.limits.weight, db.limits.is_managed) == (200, True)
    assert router.limits.minimum == Amount(max_ratio=0.2)
    assert (router.limits.weight, router.limits.is_managed) == (50, False)


def test_no_file_and_an_empty_file_are_the_engines_defaults(tmp_path: Path) -> None:
    """Defaults are decided in one place, and nobody who said nothing gets memory moved."""
    for config in (default_config(), load_config(written(tmp_path, ""))):
        assert config.engine_params() == EngineParams()
        assert (config.mode, config.on_stop) == (Mode.OBSERVE, OnStop.LEAVE)


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ('\nmode = "on"', 2, "mode", ['"on"', '"observe", "recommend", "enforce"']),
        ("mode = 3", 1, "mode", ["3 is not one of"]),
        ('policy = "clairvoyant"', 1, "policy", ["what guests will want", "a bound"]),
        ('policy = "fair"', 1, "policy", ['"adaptive", "static"']),
        ('[host]\n\nreserv = "1GiB"', 3, "host.reserv", ['did you mean "reserve"?']),
        ('budget = "1GiB"', 1, "budget", ["it belongs in [host]"]),
        ('[guests]\nname = "x"', 2, "guests.name", ["it belongs in [[guest]]"]),
        ('[host]\nmode = "observe"', 2, "host.mode", ["at the top of the file"]),
        ("[zzz]\na = 1", 1, "zzz", ["known here are mode"]),
        ("host = 5", 1, "host", ["5 is not a table", "[host]"]),
        ('[guest]\nname = "a"', 1, "guest", ["[[guest]]", "two brackets"]),
        ('guest = ["a"]', 1, "guest[0]", ["[[guest]]", "two brackets"]),
        ('[[guests]]\nmin = "25%"', 1, "guests", ["single brackets"]),
        ('[qmp]\nsockets = "/a"', 2, "qmp.sockets", ['"/a" is not a list', "[", "]"]),
        ('[qmp]\nsockets = [\n"/a",\n"b"]', 4, "qmp.sockets[1]", ['"b" is not an absolute path']),
        ('[host]\nbudget = "12 parsecs"', 2, "host.budget", ["12 parsecs", "GiB"]),
        ("[host]\nbudget = 900", 2, "host.budget", ["900 is not a size", '"512MiB"']),
        ('[host]\nbudget = "50%"', 2, "host.budget", ['"50%" is a share', '"512MiB"']),
        ('[guests]\nmin = "0%"', 2, "guests.min", ['"0%" leaves a guest nothing', '"25%"']),
        ("[guests]\nweight = 0", 2, "guests.weight", ["0 is not a weight", "1 to 10000"]),
        ("[guests]\nweight = -1", 2, "guests.weight", ["-1 is not a weight"]),
        ("[guests]\nweight = true", 2, "guests.weight", ["true is not a weight"]),
        ('[guests]\nmanaged = "no"', 2, "guests.managed", ['"no"', "true or false, no quotes"]),
        ('[[guest]]\nmin = "1GiB"', 1, "guest[0].name", ["missing", "db-*"]),
        ('[[guest]]\nname = ""', 2, "guest[0].name", ['"" is not a name']),
        ('[advanced]\nround = "1ms"', 2, "advanced.round", ['"1ms"', '"100ms" to "1m"']),
        ("[advanced]\ngrace = 10", 2, "advanced.grace", ["10 is not a duration", '"10s"']),
        ('[ladder]\nsoft = ["zswap"]', 2, "ladder.soft", ['"zswap" is not one of', '"compress"']),
        ('[ladder]\nsoft = "swap"', 2, "ladder.soft", ['"swap" is not a list']),
        ('[guests]\nexempt = ["alert"]', 2, "guests.exempt", ['"alert" is not one of']),
        ('[ladder]\ncompress_with = "lzo"', 2, "ladder.compress_with", ['"zswap", "zram"']),
        ('[advanced]\nfigures_age_max = "1s"', 2, "advanced.figures_age_max", ['"3s"']),
    ],
)
def test_a_wrong_value_is_told_with_its_line_and_what_would_be_right(
    tmp_path: Path, text: str, line: int, key: str, words: list[str]
) -> None:
    """One refusal must be enough to put it right."""
    problem = only_problem(tmp_path, text)
    assert (problem.line, problem.key) == (line, key)
    for word in words:
        assert word in problem.message
    assert str(problem).startswith(f"{tmp_path}/aerostat.toml:{line}: {key}: ")


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ('[guests]\nmin = "2GiB"\nmax = "1GiB"', 3, "guests.max", ["2GiB is above max 1GiB"]),
        ('[guests]\nmin = "75%"\nmax = "50%"', 3, "guests.max", ["75% is above max 50%"]),
        (
            '[guests]\nmin = "2GiB"\n[[guest]]\nname = "a"\nmax = "1GiB"',
            5,
            "guest[0].max",
            ["min 2GiB is above max 1GiB"],
        ),
        (
            '[guests]\nmax = "1GiB"\n[[guest]]\nname = "a"\nmin = "2GiB"',
            5,
            "guest[0].min",
            ["min 2GiB is above max 1GiB"],
        ),
        ('[guests]\nmin = "1M"', 2, "guests.min", ["1MiB", "at least", "128MiB"]),
        ('[host]\nreserve = "60%"\nburst_reserve = "40%"', 2, "host.reserve", ["100%"]),
        (
            '[host]\nbudget = "1GiB"\nburst_reserve = "1GiB"',
            3,
            "host.burst_reserve",
            ["all of the budget"],
        ),
        (
            '[[guest]]\nname = "*"\n[[guest]]\nname = "db"',
            4,
            "guest[1].name",
            ['"db" is never reached', '"*"'],
        ),
        (
            '[ladder]\nsoft = ["reporting", "take_free", "take_by_weight", "swap"]',
            2,
            "ladder.soft",
            ['"swap" is missing in hard'],
        ),
        ('[ladder]\nswap_size = "1GiB"', 2, "ladder.swap_size", ["needs swap_file"]),
        ('[advanced]\nround_moving = "2s"', 2, "advanced.round_moving", ["above round 500ms"]),
        ('[advanced]\nheadroom_min = "2GiB"', 2, "advanced.headroom_min", ["headroom_max 1GiB"]),
        ('[advanced]\ndead_band = "1GiB"', 2, "advanced.dead_band", ["step_rate 256MiB"]),
        ('[advanced]\nstall_retry = "1h"', 2, "advanced.stall_retry", ["stall_retry_max 10m"]),
        ('[advanced]\nstep = "0%"', 2, "advanced.step", ["would take nothing"]),
    ],
)
def test_values_that_contradict_each_other_are_refused(
    tmp_path: Path, text: str, line: int, key: str, words: list[str]
) -> None:
    """Each is right by itself; together they would hold a guest where nobody meant it to be."""
    problem = only_problem(tmp_path, text)
    assert (problem.line, problem.key) == (line, key)
    for word in words:
        assert word in problem.message


def test_a_narrow_rule_before_a_wide_one_is_right(tmp_path: Path) -> None:
    """Only rules that can never be reached are refused."""
    names = ["db-1", "db-?", "db-[xy]*", "db-*", "*"]
    text = "".join(f'[[guest]]\nname = "{name}"\n' for name in names)
    rules = load_config(written(tmp_path, text)).engine_params().rules
    assert [rule.name_glob for rule in rules] == names


def test_rules_by_tag(tmp_path: Path) -> None:
    text = '[[guest]]\ntag = "prod"\nmin = "1GiB"\n[[guest]]\nname = "db-*"\ntag = "db"\n'
    config = load_config(written(tmp_path, text))
    first, second = config.engine_params().rules
    assert (first.name_glob, first.tag_glob) == (None, "prod")
    assert (second.name_glob, second.tag_glob) == ("db-*", "db")
    shown = {setting.key: setting.value for setting in config.settings()}
    assert shown["guest[0].tag"] == '"prod"'
    assert shown["guest[0].name"] is None
    kept = stored_config(config.stored_text())
    assert kept is not None
    assert kept.engine_params().rules == (first, second)


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ('[[guest]]\nmin = "1GiB"', 1, "guest[0].name", ['tag = "']),
        ('[[guest]]\ntag = ""', 2, "guest[0].tag", []),
        ("[[guest]]\ntag = 5", 2, "guest[0].tag", []),
        ('[[guest]]\ntag = "p*"\n[[guest]]\ntag = "prod"', 4, "guest[1].tag", ["never reached"]),
        ('[[guest]]\nname = "*"\n[[guest]]\ntag = "prod"', 4, "guest[1].tag", ["never reached"]),
    ],
)
def test_rules_by_tag_that_are_wrong(
    tmp_path: Path, text: str, line: int, key: str, words: list[str]
) -> None:
    problem = only_problem(tmp_path, text)
    assert (problem.line, problem.key) == (line, key)
    for word in words:
        assert word in problem.message


def test_a_rule_by_tag_hides_none_by_name(tmp_path: Path) -> None:
    """Which VMs have a tag is not known before they are there."""
    text = '[[guest]]\ntag = "*"\n[[guest]]\nname = "db-1"\n[[guest]]\nname = "db-*"\ntag = "x"\n'
    assert len(load_config(written(tmp_path, text)).engine_params().rules) == 3


def test_all_that_is_wrong_is_told_at_once_in_order_of_lines(tmp_path: Path) -> None:
    """Fixing a file one refusal at a time is a morning lost."""
    text = (
        'mode = "on"\n[[guest]]\nname = "a"\nweight = 0\nmin = "2GiB"\nmax = "1GiB"\n'
        '[[guest]]\nmin = "x"\n[qmp]\nsockets = ["a", "/b", 3]\n[host]\nbuget = "1GiB"\n'
    )
    found = problems(tmp_path, text)
    assert [(problem.line, problem.key) for problem in found] == [
        (1, "mode"),
        (4, "guest[0].weight"),
        (6, "guest[0].max"),
        (7, "guest[1].name"),
        (8, "guest[1].min"),
        (10, "qmp.sockets[0]"),
        (10, "qmp.sockets[2]"),
        (12, "host.buget"),
    ]


def test_a_wrong_value_is_not_reported_twice(tmp_path: Path) -> None:
    """A max that could not be read contradicts nothing."""
    text = '[guests]\nmin = "oops"\nmax = "10%"'
    assert only_problem(tmp_path, text).key == "guests.min"


def test_an_error_carries_the_first_problem_and_the_status_of_wrong_usage(tmp_path: Path) -> None:
    """The command line prints the error and leaves with its status."""
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, "\nmode = 1\npolicy = 2"))
    error: AerostatError = caught.value
    assert error.exit_status == 2
    assert caught.value.path == tmp_path / "aerostat.toml"
    assert (caught.value.line, caught.value.key) == (2, "mode")
    assert "1 is not one of" in caught.value.message
    assert len(str(error).splitlines()) == 2


@pytest.mark.parametrize(
    ("raw", "line", "words"),
    [
        (b'mode = "observe"\n[host\n', 2, "this is not TOML"),
        (b"a = 1\n[host]\nreserve = 10%\n", 3, "reserve = 10%"),
        (b'mode = "observe', 1, "this is not TOML"),
        (b"a = 1\n\na = 2\n", 3, "this is not TOML"),
        (b'mode = "observe"\n# caf\xe9\n', 2, "not UTF-8"),
    ],
)
def test_text_that_is_not_toml_is_refused_with_its_line(
    tmp_path: Path, raw: bytes, line: int, words: str
) -> None:
    """The line is the operator's first question."""
    path = tmp_path / "broken.toml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert words in caught.value.message


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a directory, or a link to itself: each says which and what to do."""
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    for path, words in (
        (tmp_path / "none.toml", "no such file"),
        (tmp_path, "directory"),
        (loop, "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=words) as caught:
            load_config(path)
        assert caught.value.path == path


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    """Files travel through mail and editors."""
    path = tmp_path / "crlf.toml"
    path.write_bytes(b'mode = "enforce"\r\n[host]\r\nreserve = "1GiB"\r\n')
    assert load_config(path).mode is Mode.ENFORCE
