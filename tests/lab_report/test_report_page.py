"""The report without a browser: complete, self-contained, and deaf to hostile text."""

import html
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from aerostat.lab.report import render_report, write_report
from aerostat.lab.result import result_document
from lab_report import synthetic
from lab_report.hostile import HOSTILE, hostile_experiment
from lab_report.rows import arm, experiment, sample, second, served_arm


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(result_document(synthetic.experiment(repeats=2)))


def text_of(page: str) -> str:
    """What can be read without running a script, spaces and tags aside."""
    visible = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", visible)))


def data_of(page: str) -> dict[str, object]:
    found = re.search(r'(?s)<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    sources = re.findall(
        r"""(?:src|href|action)\s*=\s*["']([^"']*)""", re.sub(r"(?s)<script>.*?</script>", "", page)
    )
    assert sources == ["data:,"]
    assert not re.findall(r"url\(|@import", page)
    assert "default-src 'none'" in page


def test_headline_and_table_are_readable_without_a_script(page: str) -> None:
    text = text_of(page)
    assert "On the same 900 MiB, Aerostat served" in text
    assert "emulated guests: compare the arms, not absolute speeds" in text
    for words in ("Unconstrained", "Even split", "Checksum errors", "OOM kills", "never", "web"):
        assert words in text


def test_the_page_carries_the_whole_document(page: str) -> None:
    document = result_document(synthetic.experiment(repeats=2))
    assert data_of(page)["document"] == document


def test_the_licence_of_the_plots_lies_beside_them_and_is_named(page: str) -> None:
    vendor = resources.files("aerostat.present").joinpath("vendor/uplot")
    assert "MIT License" in vendor.joinpath("LICENSE").read_text("utf-8")
    assert "The above copyright notice and this permission notice" in page
    assert "uPlot, MIT, Leon Sorokin" in text_of(page)


def test_a_simulation_is_labelled_loudly() -> None:
    page = render_report(result_document(synthetic.experiment(repeats=1, accelerator="simulated")))
    assert 'class="badge loud"' in page
    assert "SIMULATED" in text_of(page)
    assert "script/demo --simulated" in text_of(page)


def test_a_worse_result_is_shown_as_one() -> None:
    document = result_document(experiment(served_arm("static", [87]), served_arm("adaptive", [70])))
    page = render_report(document)
    assert "tone-worse" in page
    assert "Aerostat served less than an even split" in text_of(page)


def test_an_invalid_run_is_shown_with_its_reason() -> None:
    arms = [served_arm("static", [87]), arm([second(1, sample())], why_invalid="foreign load")]
    page = render_report(result_document(experiment(*arms)))
    assert "not counted: foreign load" in text_of(page)


def test_hostile_text_stays_text(page: str) -> None:
    hostile = render_report(result_document(hostile_experiment()))
    assert HOSTILE not in hostile
    assert hostile.count("<script") == page.count("<script")
    assert hostile.count("<img") == 0
    assert HOSTILE in text_of(hostile)


def test_an_experiment_without_arms_still_makes_a_page() -> None:
    assert "Nothing to compare" in text_of(render_report(result_document(experiment())))


def test_the_report_is_written_as_utf_8(tmp_path: Path, page: str) -> None:
    path = tmp_path / "report.html"
    write_report(result_document(synthetic.experiment(repeats=2)), path)
    assert path.read_text(encoding="utf-8") == page
