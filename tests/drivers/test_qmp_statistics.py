"""A guest's figures: a value that can be believed, or absent with the reason."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aerostat.drivers.qmp.statistics import parse_guest_stats
from aerostat.drivers.report import SampleAge
from aerostat.drivers.sockets.errors import AnswerViolationError
from aerostat.model.figures import Absence
from aerostat.units import MIB

NO_VALUE = 2**64 - 1
MAX_BYTES = 512 * MIB
GOOD = {
    "stat-total-memory": 470 * MIB,
    "stat-available-memory": 300 * MIB,
    "stat-free-memory": 200 * MIB,
    "stat-disk-caches": 50 * MIB,
    "stat-swap-in": 4096,
    "stat-swap-out": 8192,
    "stat-major-faults": 3,
    "stat-minor-faults": 4,
    "stat-oom-kills": 0,
    "stat-alloc-stalls": 5,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["stats", "x"]), inner),
    max_leaves=5,
)
near_statistics = st.fixed_dictionaries(
    {
        "stats": st.dictionaries(st.sampled_from(sorted(GOOD)), json_values) | json_values,
        "last-update": st.integers() | json_values,
    }
)


def answer(**changes: object) -> dict[str, object]:
    stats = {key: changes.get(key.removeprefix("stat-"), value) for key, value in GOOD.items()}
    return {"stats": stats, "last-update": 1_790_000_000}


def reasons(untrusted: object) -> dict[str, Absence]:
    report = parse_guest_stats(untrusted, max_bytes=MAX_BYTES)
    return {figure.name: figure.why for figure in report.absent}


def test_a_full_answer_becomes_bytes_and_counts() -> None:
    statistics = parse_guest_stats(answer(), max_bytes=MAX_BYTES).aged(1.5)
    assert statistics.sampled_wall_s == 1_790_000_000
    assert statistics.age_s == 1.5
    assert statistics.total_bytes == 470 * MIB
    assert statistics.available_bytes == 300 * MIB
    assert statistics.free_bytes == 200 * MIB
    assert statistics.cache_bytes == 50 * MIB
    assert (statistics.swap_in_bytes, statistics.swap_out_bytes) == (4096, 8192)
    assert (statistics.major_faults, statistics.minor_faults) == (3, 4)
    assert (statistics.oom_kills, statistics.alloc_stalls) == (0, 5)
    assert statistics.absent == ()


def test_an_old_qemu_without_the_newer_keys_leaves_them_out() -> None:
    stats = {key: value for key, value in GOOD.items() if "oom" not in key and "stall" not in key}
    assert reasons({"stats": stats, "last-update": 1}) == {
        "oom_kills": Absence.NOT_REPORTED,
        "alloc_stalls": Absence.NOT_REPORTED,
    }


@pytest.mark.parametrize("value", [NO_VALUE, -1])
def test_no_value_is_absent_and_never_a_number(value: int) -> None:
    changes = {key.removeprefix("stat-"): value for key in GOOD}
    found = reasons(answer(**changes))
    assert len(found) == len(GOOD)
    assert set(found.values()) == {Absence.UNSET}


def test_before_the_driver_has_reported_there_is_no_figure_at_all() -> None:
    """A driver that never loads looks the same for ever: 2**64-1 everywhere, time stamp 0."""
    report = parse_guest_stats({**answer(), "last-update": 0}, max_bytes=MAX_BYTES)
    assert report.values == {}
    assert {figure.why for figure in report.absent} == {Absence.NEVER_SAMPLED}
    assert report.aged(99.0).age_s == 0.0


@pytest.mark.parametrize(
    ("changes", "absurd"),
    [
        ({"free-memory": 471 * MIB}, {"free_bytes"}),
        ({"available-memory": 471 * MIB}, {"available_bytes"}),
        ({"disk-caches": 471 * MIB}, {"cache_bytes"}),
        ({"total-memory": 513 * MIB}, {"total_bytes"}),
        ({"total-memory": 0}, {"total_bytes"}),
        ({"total-memory": NO_VALUE, "free-memory": 513 * MIB}, {"free_bytes"}),
        ({"swap-in": -2}, {"swap_in_bytes"}),
        ({"major-faults": 2**63}, {"major_faults"}),
        ({"minor-faults": 1.5}, {"minor_faults"}),
        ({"minor-faults": True}, {"minor_faults"}),
        ({"minor-faults": "7"}, {"minor_faults"}),
        ({"minor-faults": None}, {"minor_faults"}),
    ],
)
def test_what_cannot_be_is_absurd_and_the_rest_stays(
    changes: dict[str, object], absurd: set[str]
) -> None:
    found = reasons(answer(**changes))
    assert {name for name, why in found.items() if why is Absence.ABSURD} == absurd


def test_nothing_available_is_a_figure_not_a_gap() -> None:
    """A guest that has run out reports available 0: to read that as unknown would be deadly."""
    report = parse_guest_stats(answer(**{"available-memory": 0}), max_bytes=MAX_BYTES)
    assert report.values["available_bytes"] == 0


@pytest.mark.parametrize(
    "untrusted",
    [None, [], {}, {"stats": {}}, {"last-update": 1}, {"stats": [], "last-update": 1}]
    + [{"stats": {}, "last-update": stamp} for stamp in ("1", True, 1.0, None, 2**64 - 1)],
)
def test_an_answer_of_another_form_is_a_violation(untrusted: object) -> None:
    with pytest.raises(AnswerViolationError):
        parse_guest_stats(untrusted, max_bytes=MAX_BYTES)


@given(untrusted=near_statistics | json_values, max_bytes=st.none() | st.integers(1, 2**40))
@example(untrusted=answer(), max_bytes=None)
def test_whatever_comes_is_a_report_or_a_violation(
    untrusted: object, max_bytes: int | None
) -> None:
    try:
        report = parse_guest_stats(untrusted, max_bytes=max_bytes)
    except AnswerViolationError:
        return
    assert set(report.values).isdisjoint(figure.name for figure in report.absent)
    assert len(report.values) + len(report.absent) == len(GOOD)
    total = report.values.get("total_bytes", max_bytes)
    assert all(0 <= value < 2**63 for value in report.values.values())
    if total is not None:
        assert report.values.get("free_bytes", 0) <= total
    report.aged(1.0)


def test_a_sample_ages_from_its_time_stamp() -> None:
    age = SampleAge()
    assert age.age_s(1000.0, now_s=5.0, wall_s=1001.0) == 1.0
    assert age.age_s(1000.0, now_s=9.0, wall_s=1005.0) == 5.0
    assert age.age_s(1005.0, now_s=9.5, wall_s=1005.5) == 0.5


def test_a_frozen_sample_grows_old_even_if_the_wall_clock_is_set_back() -> None:
    """Else figures frozen before the clock went back an hour would pass as fresh for an hour."""
    age = SampleAge()
    age.age_s(5000.0, now_s=10.0, wall_s=5001.0)
    assert age.age_s(5000.0, now_s=40.0, wall_s=1400.0) == 30.0


def test_a_sample_from_the_future_is_not_younger_than_new() -> None:
    assert SampleAge().age_s(5000.0, now_s=10.0, wall_s=1000.0) == 0.0


def test_without_a_sample_there_is_no_age() -> None:
    assert SampleAge().age_s(None, now_s=10.0, wall_s=1000.0) == 0.0
