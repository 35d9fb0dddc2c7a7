"""Bursts before people: medians, the 99th percentile, worst cases, and what never came."""

import io
import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from aerostat.lab.burst import burst_document, burst_table
from aerostat.lab.burst.found import Burst, Bursts
from aerostat.lab.burst.summary import ArmSummary, summaries


def found(*bursts: Burst) -> Bursts:
    return Bursts(
        started_utc="2026-11-23T22:00:00+00:00",
        accelerator="tcg",
        machine={"cores": 2},
        world={"ram_bytes": 512},
        bursts=bursts,
    )


def burst(
    repeat: int, first_page_s: float | None, arm: str = "pushed", *, was_at_rest: bool = True
) -> Burst:
    return Burst(
        arm=arm,
        repeat=repeat,
        gap_bytes=160,
        was_at_rest=was_at_rest,
        stalled_after_s=1.0,
        first_page_s=first_page_s,
        most_s=None if first_page_s is None else first_page_s + 0.2,
        offered=200,
        lost=50,
    )


def raw(repeat: int, most_s: float, sent_s: float) -> Burst:
    return Burst(
        arm="raw",
        repeat=repeat,
        gap_bytes=160,
        was_at_rest=True,
        stalled_after_s=1.0,
        sent_s=sent_s,
        first_page_s=sent_s + 0.01,
        most_s=most_s,
    )


def arm(bursts: Bursts, name: str) -> ArmSummary:
    return next(one for one in summaries(bursts.bursts) if one.arm.name == name)


def printed(bursts: Bursts) -> dict[str, str]:
    text = io.StringIO()
    Console(width=160, file=text).print(burst_table(bursts))
    lines = text.getvalue().splitlines()
    return {line.split("  ")[0].strip(): line for line in lines}


def document_of(bursts: Bursts) -> dict[str, Any]:
    text = resources.files("aerostat.lab.burst").joinpath("burst.schema.json").read_text("utf-8")
    document = burst_document(bursts)
    jsonschema.Draft202012Validator(json.loads(text)).validate(document)
    return document


def test_a_row_has_medians_and_the_worst() -> None:
    rows = printed(found(burst(0, 0.1), burst(1, 0.3), burst(2, 0.12)))
    (row,) = [line for title, line in rows.items() if title.startswith("pushed")]
    for cell in ("120 ms", "300 ms", "320 ms", "500 ms", "25"):
        assert cell in row, row


def test_a_p99_takes_a_hundred_bursts() -> None:
    bursts = [burst(n, 0.001 * (n + 1)) for n in range(100)]
    few = arm(found(*bursts[:99]), "pushed").first_page
    assert few is not None
    assert few.p99_s is None
    enough = arm(found(*bursts), "pushed").first_page
    assert enough is not None
    assert enough.p99_s == pytest.approx(0.099)
    assert enough.worst_s == pytest.approx(0.100)
    assert enough.p50_s == pytest.approx(0.050)


def test_those_that_measured_nothing_make_no_p99() -> None:
    bursts = [burst(n, 0.1, was_at_rest=n > 0) for n in range(100)]
    pushed = arm(found(*bursts), "pushed")
    assert (pushed.measured, pushed.played) == (99, 100)
    assert pushed.first_page is not None
    assert pushed.first_page.p99_s is None


def test_an_arm_is_compared_with_the_mechanism_from_its_command() -> None:
    # The mechanism took 0.2 s each time; that its command came late is not the mechanism's.
    raws = (raw(0, most_s=0.21, sent_s=0.01), raw(1, most_s=0.5, sent_s=0.3))
    both = found(*raws, burst(0, 0.05), burst(1, 0.09), burst(2, 0.2))  # most: +0.2 s
    pushed = arm(both, "pushed")
    assert pushed.most_to_raw_ratio == pytest.approx(0.29 / 0.2)
    assert pushed.within_raw_ratio == pytest.approx(2 / 3)
    (row,) = [line for title, line in printed(both).items() if title.startswith("pushed")]
    assert "1.45" in row
    assert "66.7 %" in row


def test_without_a_raw_arm_nothing_is_compared() -> None:
    pushed = arm(found(burst(0, 0.1)), "pushed")
    assert pushed.most_to_raw_ratio is None
    assert pushed.within_raw_ratio is None


def test_goals_are_met_or_not_only_where_they_were_measured() -> None:
    few = document_of(found(burst(0, 0.1)))["goals"]
    assert few == {"first_page_p99_s": {"at_most": 0.25}, "most_to_raw_ratio": {"at_most": 1.5}}
    many = found(raw(0, 0.3, 0.0), *(burst(n, 0.2 if n else 0.4) for n in range(100)))
    goals = document_of(many)["goals"]
    assert goals["first_page_p99_s"]["is_met"] is True
    assert goals["most_to_raw_ratio"]["is_met"] is True
    late = found(raw(0, 0.1, 0.0), *(burst(n, 0.2 if n > 1 else 0.4) for n in range(100)))
    goals = document_of(late)["goals"]
    assert goals["first_page_p99_s"]["is_met"] is False
    assert goals["most_to_raw_ratio"]["is_met"] is False


def test_what_never_came_is_longer_than_everything() -> None:
    rows = printed(found(burst(0, 0.1, "10s"), burst(1, None, "10s")))
    (row,) = [
        line for title, line in rows.items() if "every 10 s" in title and "pushed" not in title
    ]
    assert "100 ms" in row
    assert "never" in row


def test_a_guest_that_was_not_at_rest_has_no_times() -> None:
    rows = printed(found(burst(0, 0.1), burst(1, 0.9, was_at_rest=False)))
    (row,) = [line for title, line in rows.items() if title.startswith("pushed")]
    assert "1 of 2" in row
    assert "900 ms" not in row


def test_what_was_not_measured_is_left_out_of_the_document() -> None:
    document = document_of(found(burst(0, None)))
    (told,) = document["bursts"]
    assert not {"first_page_s", "most_s", "moving_s", "sent_s"} & told.keys()
    assert told["offered"] == 200
