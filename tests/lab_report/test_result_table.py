"""The table in the terminal: fits, keeps its figures, and marks the best without the reference."""

import io
import re

import pytest
from rich.console import Console
from rich.table import Table

from aerostat.lab.result import result_document, result_table, verdict_text
from lab_report import synthetic
from lab_report.golden_text import assert_golden
from lab_report.rows import arm, experiment, sample, second, served_arm


def printed(table: Table, *, width: int = 100, has_colour: bool = False) -> str:
    console = Console(
        width=width,
        record=True,
        file=io.StringIO(),
        force_terminal=has_colour,
        color_system="truecolor" if has_colour else None,
    )
    console.print(table)
    return console.export_text(styles=has_colour)


def test_the_table_looks_as_reviewed() -> None:
    document = result_document(synthetic.experiment(repeats=3))
    assert_golden("result_table.txt", printed(result_table(document)))


@pytest.mark.parametrize("width", [80, 100])
def test_nothing_is_cut_off(width: int) -> None:
    text = printed(result_table(result_document(synthetic.experiment(repeats=3))), width=width)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_many_policies_are_not_cut_off_either() -> None:
    policies = [
        "unconstrained",
        "static",
        "shares",
        "threshold",
        "probe",
        "clairvoyant",
        "adaptive",
    ]
    arms = [
        arm([second(1, sample(served=served), held_bytes=(90 + served) << 20)], policy=policy)
        for policy in policies
        for served in (7_001, 9_999)
    ]
    text = printed(result_table(result_document(experiment(*arms))), width=80)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert len(re.findall(r"\d GiB", text)) == len(policies), "a unit is beside its figure"


def test_an_unmeasured_figure_shows_as_absent_and_an_unmeasured_row_not_at_all() -> None:
    mixed = [arm([second(1, sample(), held_bytes=5 << 20)]), served_arm("static", [87])]
    text = printed(result_table(result_document(experiment(*mixed))))
    (row,) = [line for line in text.splitlines() if line.startswith("Held, mean")]
    assert "5 MiB" in row
    assert "–" in row  # noqa: RUF001 - the dash of absent figures
    assert "Churn" not in text


def test_an_invalid_run_is_counted_apart() -> None:
    arms = [served_arm("adaptive", [99]), arm([second(1, sample(served=1))], why_invalid="load")]
    text = printed(result_table(result_document(experiment(*arms))))
    assert "1 run" in text
    assert "1 invalid" in text
    assert "99.0 %" in text


def test_the_best_is_marked_among_contestants_only() -> None:
    served = {"unconstrained": 100, "static": 87, "adaptive": 95}
    arms = [served_arm(policy, [count]) for policy, count in served.items()]
    text = printed(result_table(result_document(experiment(*arms))), has_colour=True)
    (row,) = [line for line in text.splitlines() if "Served" in line]
    assert re.findall(r"\x1b\[1;32m *([\d.]+) %", row) == ["95.0"]


def test_the_verdict_stands_above_its_details() -> None:
    arms = [served_arm("static", [87]), served_arm("adaptive", [99])]
    text = verdict_text(result_document(experiment(*arms)))
    headline, *details = text.plain.splitlines()
    assert headline.startswith("On the same 900 MiB, Aerostat served 99.0 %")
    assert "Guests starved for 0 s, against 1 s." in details
