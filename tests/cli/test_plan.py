"""``aerostat plan``: table, document, page; traces and recordings; sentences for what is none."""

import io
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from aerostat.cli.main import app
from aerostat.cli.planning import plan_text
from aerostat.planner.document import plan_document
from aerostat.planner.page import render_page
from aerostat.planner.plan import make_plan
from planner.traces import question, restless
from replay.recordings import RECORDED, record
from simulated_daemon import simulated_rounds

SCHEMA = json.loads(
    resources.files("aerostat.planner").joinpath("plan.schema.json").read_text("utf-8")
)


@pytest.fixture(scope="module")
def trace_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As npz: a layout that all readers of traces know."""
    path = tmp_path_factory.mktemp("trace") / "fleet.npz"
    trace = restless(vms=6, samples=12)
    used = trace.used_bytes >> 20
    capacity = np.repeat((trace.max_bytes >> 20)[:, np.newaxis], used.shape[1], axis=1)
    np.savez(path, used=used.astype(np.uint32), cap=capacity.astype(np.uint32))
    return path


def plan(*arguments: object) -> Result:
    told = ["plan", *map(str, arguments)]
    if "--host-memory" not in told:
        told += ["--host-memory", "10GiB"]
    return CliRunner().invoke(app, [*told, "--resamples", "3"], env={"COLUMNS": "80"})


def test_a_plan_is_a_document_and_told_in_80_columns(trace_file: Path) -> None:
    result = plan(trace_file, "--hosts", "3", "-o", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["host_lost"]["hosts"] == 3
    assert len(document["vms"]) == 6
    console = Console(width=80, file=io.StringIO())
    with console.capture() as capture:
        console.print(plan_text(document))
    told = capture.get()
    assert max(map(len, told.splitlines())) <= 80
    words = " ".join(told.split())
    assert "of these VMs fit on a host of 10 GiB with ballooning" in words
    assert "Should one of 3 hosts be lost" in words
    assert "Free page reporting gives 15.0 %" in words, "assumptions are told"


@pytest.mark.slow
def test_a_page_is_written(trace_file: Path, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    result = plan(trace_file, "--html", page)
    assert result.exit_code == 0
    assert "of these VMs fit" in " ".join(result.stdout.split())
    text = page.read_text("utf-8")
    assert "of these VMs fit" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "http-equiv" in text
    assert "src=" not in text, "it needs nothing beside it"


def test_a_page_escapes_names() -> None:
    trace = restless()
    hostile = ("<script>alert(1)</script>", *trace.names[1:])
    object.__setattr__(trace, "names", hostile)
    asked = question()
    document: dict[str, Any] = plan_document(trace, "</script>.csv", make_plan(trace, asked))
    assert "<script>alert" not in render_page(document)


@pytest.mark.slow
def test_a_recording_can_be_planned_on(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    rounds = simulated_rounds(180.0, params=RECORDED.engine_params(), is_eventful=False)
    path = record(tmp_path, rounds, configuration=RECORDED.stored_text())
    result = plan(path, "--host-memory", "2GiB", "-o", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["trace"]["vms_used"] == 4
    assert any("The trace is short" in line for line in document["assumptions"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host-memory", "much"], "much"),
        (["--host-memory", "5B"], "no host's memory"),
        (["--unmet", "150%"], "no share"),
        (["--pressure", "some"], "no share"),
        (["--html", "nowhere/at/all.html"], "no directory"),
        (["--host-memory", "2GiB"], "be used|smallest VM"),
    ],
)
def test_what_cannot_be_is_told(trace_file: Path, arguments: list[str], words: str) -> None:

    result = plan(trace_file, *arguments)
    assert result.exit_code != 0
    assert re.search(words, f"{result.output} {result.exception}")


def test_a_file_that_is_no_trace_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no")
    for path in (tmp_path / "a.npz", tmp_path / "none.csv"):
        result = plan(path)
        assert result.exit_code != 0
        assert str(path) in str(result.exception)
