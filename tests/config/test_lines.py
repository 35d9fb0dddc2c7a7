import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.config.lines import KeyPath, line_of_keys

TEXT = '''# a comment with [brackets] and "quotes"
mode = "observe" # key = 1

[qmp]
sockets = [ # the list
  "/a#b",
  '/c]d',
  """
  multi = "line" \\""" [x]
  """,
]
[a."quoted \\u0041.b"]
x.y = { p = 1, "q" = [ { r = 2 }, { r = 3 } ] }
[[guest]]
name = \'\'\'
[[guest]] \'\'\'
[[guest]]
min = 1
[guest.sub]
k = 2024-01-01T00:00:00Z
[[guest.inner]]
z = true
'''


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    found: set[KeyPath] = {path} if path else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= paths_of(inner, (*path, index))
    return found


def test_every_key_that_the_parser_sees_has_a_line() -> None:
    """The scanner and tomllib must agree on what is in a text, or errors name wrong lines."""
    assert paths_of(tomllib.loads(TEXT)) <= set(line_of_keys(TEXT)) | {("a",)}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("mode",), 2),
        (("qmp",), 4),
        (("qmp", "sockets"), 5),
        (("qmp", "sockets", 0), 6),
        (("qmp", "sockets", 1), 7),
        (("qmp", "sockets", 2), 8),
        (("a", "quoted A.b", "x", "y", "q", 1, "r"), 13),
        (("guest", 0, "name"), 15),
        (("guest", 1), 17),
        (("guest", 1, "min"), 18),
        (("guest", 1, "sub", "k"), 20),
        (("guest", 1, "inner", 0, "z"), 22),
    ],
)
def test_each_key_is_found_on_its_line(path: KeyPath, line: int) -> None:
    """Multi-line values, comments and nested arrays must not shift what comes after them."""
    assert line_of_keys(TEXT)[path] == line


VALUES = st.sampled_from(
    ["1", '"x # y"', "'[z]'", '"""a\n\n"b" = c"""', "'''\n[t]\n'''", "[1, [2,\n3], ]", "{a = 1}"]
)


@given(st.lists(VALUES, min_size=1, max_size=8), st.lists(st.sampled_from(["", "# [x]"])))
def test_lines_survive_any_mixture_of_values(values: list[str], gaps: list[str]) -> None:
    """Each key is written on a known line, after whatever came before it."""
    text, expected = "\n".join([*gaps, ""]), {}
    for number, value in enumerate(values):
        expected[f"key{number}",] = text.count("\n") + 1
        text += f"key{number} = {value}\n"
    tomllib.loads(text)
    lines = line_of_keys(text)
    assert {path: lines[path] for path in expected} == expected
