"""What a guest sends is a valid value or refused; it never breaks the lab."""

import json
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.lab.machine.lines import (
    LINE_BYTES_MAX,
    BadLineError,
    Hello,
    LineSplitter,
    StallBegan,
    WorkloadEnded,
    parse_line,
)
from aerostat.lab.recording import WorkloadSample

SAMPLE: Mapping[str, object] = {
    "uptime_s": 12.5,
    "hot_bytes": 83886080,
    "heap_bytes": 83000000,
    "offered": 2000,
    "served": 1990,
    "shed": 10,
    "checksum_errors": 0,
    "latency_max_s": 0.123,
    "latency_histogram": {"97": 1000, "143": 990},
    "total_bytes": 492847104,
    "available_bytes": 345473024,
    "free_bytes": 345706496,
    "swap_total_bytes": 536866816,
    "swap_free_bytes": 536866816,
    "swap_in_bytes": 0,
    "swap_out_bytes": 4096,
    "major_faults": 3,
    "refaults": 4,
    "oom_kills": 0,
    "pressure_some_s": 1.5,
    "pressure_full_s": 0.25,
}


def parse(line: bytes) -> WorkloadSample | Hello | WorkloadEnded | StallBegan:
    return parse_line(line, guest="ada", received_s=7.0)


def test_a_sample_is_read_with_all_its_fields() -> None:
    sample = parse(json.dumps(SAMPLE).encode())
    assert isinstance(sample, WorkloadSample)
    assert (sample.guest, sample.received_s) == ("ada", 7.0)
    assert sample.latency_histogram == {97: 1000, 143: 990}
    for name, value in SAMPLE.items():
        if name != "latency_histogram":
            assert getattr(sample, name) == value


def test_events_are_read() -> None:
    stall = b'{"event":"stall","uptime_s":12.345678}'
    assert parse(stall) == StallBegan(uptime_s=12.345678, received_s=7.0)
    hello = b'{"event":"hello","kernel":"6.1.0","uptime_s":2.1,"swap":"vda","balloon":"late"}'
    assert parse(hello) == Hello(kernel="6.1.0", uptime_s=2.1, swap="vda", balloon="late")
    assert parse(b'{"event":"exit","status":137}') == WorkloadEnded(status=137)


@pytest.mark.parametrize(
    "change",
    [
        {"served": -1},
        {"served": 2**64 - 1},
        {"served": 1.5},
        {"served": True},
        {"served": "2000"},
        {"served": None},
        {"uptime_s": float("nan")},
        {"uptime_s": float("inf")},
        {"uptime_s": -0.1},
        {"uptime_s": "soon"},
        {"latency_histogram": [1, 2]},
        {"latency_histogram": {"x": 1}},
        {"latency_histogram": {"-1": 1}},
        {"latency_histogram": {"9999": 1}},
        {"latency_histogram": {"\u0663": 1}},
        {"latency_histogram": {"97": -1}},
        {"event": "party"},
        {"event": 5},
    ],
    ids=str,
)
def test_an_absurd_figure_refuses_the_line(change: Mapping[str, object]) -> None:
    with pytest.raises(BadLineError):
        parse(json.dumps({**SAMPLE, **change}).encode())


@pytest.mark.parametrize("name", sorted(SAMPLE))
def test_a_missing_figure_refuses_the_line(name: str) -> None:
    with pytest.raises(BadLineError):
        parse(json.dumps({key: value for key, value in SAMPLE.items() if key != name}).encode())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"panic!",
        b"[]",
        b"12",
        b"\xff\xfe",
        b"[" * LINE_BYTES_MAX,
        b"9" * 5000,
        b'{"event":"hello","kernel":"\\u001b[2J","uptime_s":1,"swap":"vda","balloon":"x"}',
        b'{"event":"hello","kernel":"' + b"k" * 1000 + b'","uptime_s":1,"swap":"","balloon":""}',
        b'{"event":"exit","status":"x"}',
    ],
    ids=lambda line: repr(line[:20]),
)
def test_garbage_is_refused(line: bytes) -> None:
    with pytest.raises(BadLineError):
        parse(line)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_parser(line: bytes) -> None:
    try:
        parse(line)
    except BadLineError:
        return


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), st.data())
def test_lines_do_not_depend_on_how_the_stream_is_cut(
    lines: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    splitter = LineSplitter()
    ends = [0, *cuts, len(stream)]
    found = [line for start, end in pairwise(ends) for line in splitter.feed(stream[start:end])]
    assert found == lines
    assert splitter.too_long == 0


def test_a_line_without_end_is_dropped_and_counted_once() -> None:
    splitter = LineSplitter()
    for _ in range(5):
        assert splitter.feed(b"x" * LINE_BYTES_MAX) == []
    assert splitter.feed(b"tail\nnext\n") == [b"next"]
    assert splitter.too_long == 1
