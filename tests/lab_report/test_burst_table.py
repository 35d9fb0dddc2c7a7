"""Bursts before people: medians, worst cases, and what never came."""

import io

from rich.console import Console

from aerostat.lab.burst import burst_document, burst_table
from aerostat.lab.burst.found import Burst, Bursts


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


def printed(bursts: Bursts) -> dict[str, str]:
    text = io.StringIO()
    Console(width=140, file=text).print(burst_table(bursts))
    lines = text.getvalue().splitlines()
    return {line.split("  ")[0].strip(): line for line in lines}


def test_a_row_has_medians_and_the_worst() -> None:
    rows = printed(found(burst(0, 0.1), burst(1, 0.3), burst(2, 0.12)))
    (row,) = [line for title, line in rows.items() if title.startswith("pushed")]
    for cell in ("120 ms", "300 ms", "320 ms", "500 ms", "200 ms", "25"):
        assert cell in row, row


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
    document = burst_document(found(burst(0, None)))
    (told,) = document["bursts"]
    assert not {"first_page_s", "most_s", "moving_s", "sent_s"} & told.keys()
    assert told["offered"] == 200
