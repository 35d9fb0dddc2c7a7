"""The report in a real browser: plots are painted, controls work, nothing complains."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from aerostat.lab.recording import Experiment
from aerostat.lab.report import render_report
from aerostat.lab.result import result_document
from lab_report import synthetic
from lab_report.hostile import hostile_experiment
from lab_report.rows import arm, experiment, sample, second

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

# Runs after the page's own script: presses what was asked for, then counts canvases with paint.
PROBE = """
<script>
const buttons = [...document.querySelectorAll("#controls button")];
for (const words of WORDS) buttons.find(one => one.textContent === words).click();
setTimeout(() => {
  const painted = [...document.querySelectorAll("canvas")].filter(canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(pixels.buffer)).size > 3;
  });
  document.documentElement.dataset.painted = painted.length;
  document.documentElement.dataset.hijacked = String(window.hijacked !== undefined);
}, 300);
</script>
"""


class Opened:
    """What the browser made of a page."""

    def __init__(self, tmp_path: Path, recorded: Experiment, press: tuple[str, ...] = ()) -> None:
        page = render_report(result_document(recorded))
        path = tmp_path / "report.html"
        path.write_text(
            page.replace("</body>", PROBE.replace("WORDS", repr(list(press))) + "</body>")
        )
        assert CHROMIUM is not None
        done = subprocess.run(
            [
                CHROMIUM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={tmp_path / 'profile'}",
                "--enable-logging=stderr",
                "--virtual-time-budget=3000",
                "--window-size=1280,2400",
                "--dump-dom",
                path.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        )
        self.dom = done.stdout
        self.complaints = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]

    def mark(self, name: str) -> str | None:
        found = re.search(rf'<html[^>]*\bdata-{name}="([^"]*)"', self.dom)
        return found[1] if found else None


def test_every_plot_is_painted_and_nothing_complains(tmp_path: Path) -> None:
    opened = Opened(tmp_path, synthetic.experiment(repeats=2))
    assert opened.complaints == []
    assert opened.mark("error") is None
    plots = 3 * (len(synthetic.GUESTS) * 2 + 2)  # policies x (memory and requests, p99 and host)
    assert opened.mark("plots") == str(plots)
    assert opened.mark("painted") == str(plots)
    assert 'aria-label="Memory of each guest, web, Aerostat' in opened.dom


def test_a_failing_script_would_be_noticed(tmp_path: Path) -> None:
    """The other tests rely on complaints being seen."""
    opened = Opened(tmp_path, synthetic.experiment(repeats=1), press=("no such button",))
    assert any("TypeError" in line for line in opened.complaints)


def test_another_run_can_be_chosen_and_a_policy_hidden(tmp_path: Path) -> None:
    opened = Opened(tmp_path, synthetic.experiment(repeats=2), press=("2", "Unconstrained"))
    assert opened.complaints == []
    assert opened.mark("plots") == str(2 * (len(synthetic.GUESTS) * 2 + 2))
    assert re.search(r'<button[^>]*aria-pressed="true"[^>]*>2</button>', opened.dom)
    assert re.search(r'<button[^>]*aria-pressed="false"[^>]*>Unconstrained</button>', opened.dom)


def test_a_poor_recording_is_drawn_as_far_as_it_goes(tmp_path: Path) -> None:
    """No sizes, a silent second, no phases: gaps, not errors."""
    rows = [second(1, sample()), second(2, None), second(3, sample())]
    opened = Opened(tmp_path, experiment(arm(rows), arm([])))
    assert opened.complaints == []
    assert opened.mark("error") is None
    assert opened.mark("plots") == "4"


def test_hostile_text_does_not_run(tmp_path: Path) -> None:
    opened = Opened(tmp_path, hostile_experiment())
    assert opened.complaints == []
    assert opened.mark("hijacked") == "false"
    assert opened.mark("error") is None
