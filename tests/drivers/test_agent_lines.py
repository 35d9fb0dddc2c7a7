"""What an agent writes is parsed without trust: any bytes end in figures that can be, or a word."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.drivers.agent.lines import (
    LINE_BYTES_MAX,
    AgentFigures,
    AgentLine,
    AgentViolationError,
    LineKind,
    parse_line,
)
from aerostat.drivers.agent.splitter import LINES_PER_S, BoundedLines
from aerostat.guest.aerostat_agent import Kernel, line_of
from aerostat.model.events import PressureTrigger

FIGURES = AgentFigures.__dataclass_fields__.keys()
LINE = {
    "aerostat": 1,
    "kind": "figures",
    "uptime_s": 100.0,
    "triggers": 2,
    "total_bytes": 1000,
    "available_bytes": 500,
    "free_bytes": 400,
    "cache_bytes": 90,
    "some_total_us": 2_000_000,
    "full_total_us": 1_000_000,
}

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
words = st.sampled_from([*FIGURES, "aerostat", "kind", "uptime_s", "trigger", "triggers", "else"])
likely = st.sampled_from([1, 0, "figures", "pressure", "some", "full", -1, 2**63, 2**64 - 1, 1e308])


def line(**changed: object) -> bytes:
    return json.dumps({**LINE, **changed}).encode()


def parsed(**changed: object) -> AgentLine:
    found = parse_line(line(**changed))
    assert found is not None
    return found


def judge(untrusted: bytes) -> None:
    """Whatever was sent: a violation in few words, nothing, or figures that can be."""
    try:
        found = parse_line(untrusted)
    except AgentViolationError as error:
        told: str | None = str(error)
        found = None
    else:
        told = None
    assert told is None or 0 < len(told) < 200
    if found is not None:
        hold_promises(found)


def hold_promises(found: AgentLine) -> None:
    assert 0 <= found.uptime_s <= 1e10
    assert (found.trigger is not None) is (found.kind is LineKind.PRESSURE)
    values = {name: getattr(found.figures, name) for name in FIGURES}
    for name, value in values.items():
        assert value is None or (type(value) is int and 0 <= value < 2**63), name
    total = values["total_bytes"]
    assert total != 0
    for name in ("available_bytes", "free_bytes", "cache_bytes"):
        assert total is None or values[name] is None or values[name] <= total
    swap_total, swap_free = values["swap_total_bytes"], values["swap_free_bytes"]
    assert None in (swap_total, swap_free) or swap_free <= swap_total


@given(st.binary(max_size=2 * LINE_BYTES_MAX))
def test_any_bytes_are_a_line_or_a_violation(untrusted: bytes) -> None:
    judge(untrusted)


@given(st.dictionaries(words, likely | any_json), st.booleans())
def test_any_object_is_a_line_or_a_violation(changed: dict[str, object], has_form: bool) -> None:
    said = {**LINE, **changed} if has_form else changed
    judge(json.dumps(said).encode("utf-8", "replace"))


@given(st.lists(st.binary(max_size=3000), max_size=30), st.floats(0, 1e9))
def test_a_flood_costs_no_more_than_its_bounds(chunks: list[bytes], now_s: float) -> None:
    lines = BoundedLines()
    found = [one for chunk in chunks for one in lines.feed(chunk, now_s)]
    assert len(found) <= LINES_PER_S
    assert all(len(one) <= LINE_BYTES_MAX and b"\n" not in one for one in found)
    assert len(lines._rest) <= LINE_BYTES_MAX


@given(st.lists(st.binary(max_size=200), max_size=8), st.integers(1, 50))
def test_lines_are_the_same_however_they_are_cut(said: list[bytes], size: int) -> None:
    stream = b"".join(one.replace(b"\n", b"") + b"\n" for one in said)
    whole, cut = BoundedLines(), BoundedLines()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    expected = list(whole.feed(stream, 1.0))
    assert [one for piece in pieces for one in cut.feed(piece, 1.0)] == expected


def test_a_line_after_one_that_is_too_long_is_read_again() -> None:
    lines = BoundedLines()
    assert list(lines.feed(b"x" * 5000, 1.0)) == []
    assert list(lines.feed(b"x" * 5000 + b"\nagain\n", 1.0)) == [b"again"]
    assert lines.too_long == 1


@pytest.mark.parametrize(
    ("changed", "dropped"),
    [
        ({"available_bytes": 1001}, "available_bytes"),
        ({"free_bytes": -1}, "free_bytes"),
        ({"cache_bytes": 2**63}, "cache_bytes"),
        ({"total_bytes": 0}, "total_bytes"),
        ({"oom_kills": "none"}, "oom_kills"),
        ({"refaults": True}, "refaults"),
        ({"some_total_us": 200_000_000}, "some_total_us"),
        ({"full_total_us": 9_000_000}, "full_total_us"),
    ],
)
def test_an_absurd_figure_is_dropped_and_named(changed: dict[str, object], dropped: str) -> None:
    found = parsed(**changed)
    assert dropped in found.absurd
    assert getattr(found.figures, dropped) is None
    assert found.figures.swap_in_bytes is None
    assert dropped == "available_bytes" or found.figures.available_bytes == 500


@pytest.mark.parametrize(
    ("untrusted", "told"),
    [
        (b"{", "not JSON"),
        (b"[" * 1500, "not JSON"),
        (b'{"uptime_s":NaN}', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"3", "not an object"),
        (b"{}", "speaks version None"),
        (line(aerostat=2), "speaks version 2"),
        (line(uptime_s=-1), "uptime_s is -1"),
        (line(kind="pressure"), "trigger is None"),
        (line(kind="pressure", trigger=["some"]), "trigger is"),
        (b"x" * (LINE_BYTES_MAX + 1), "longer than 2048"),
    ],
)
def test_what_is_no_line_is_told_in_words(untrusted: bytes, told: str) -> None:
    with pytest.raises(AgentViolationError, match=told.replace("[", r"\[")):
        parse_line(untrusted)


def test_a_kind_that_is_not_known_is_passed_over() -> None:
    assert parse_line(line(kind="poem")) is None


def test_the_agents_own_lines_are_understood() -> None:
    """Both ends of the wire, on this machine's own kernel."""
    figures = Kernel().figures()
    found = parse_line(line_of("figures", figures, triggers=2).rstrip(b"\n"))
    assert found is not None
    assert (found.kind, found.triggers, found.absurd) == (LineKind.FIGURES, 2, ())
    assert found.figures.total_bytes
    assert found.figures.available_bytes
    assert found.figures.major_faults is not None
    pressed = parse_line(line_of("pressure", figures, trigger="full").rstrip(b"\n"))
    assert pressed is not None
    assert pressed.trigger is PressureTrigger.FULL
    assert len(line_of("pressure", dict.fromkeys(figures, 2**63 - 1), trigger="some")) < 1024


def test_more_free_swap_than_there_is_cannot_be() -> None:
    swap = {"swap_total_bytes": 4096, "swap_free_bytes": 8192}
    found = parse_line(json.dumps({**LINE, **swap}).encode())
    assert found is not None
    assert (found.figures.swap_total_bytes, found.figures.swap_free_bytes) == (None, None)
    assert set(found.absurd) == set(swap)
    none = parse_line(json.dumps({**LINE, "swap_total_bytes": 0, "swap_free_bytes": 0}).encode())
    assert none is not None
    assert none.figures.swap_total_bytes == 0, "a guest without swap, which is a figure"
