"""The report: one file that loads nothing, with plots that a real browser paints."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from simulate.invoked import SMALL, TWO, simulate

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
SCENARIO = str(Path(__file__).parents[2] / "scenarios" / "g-floor.toml")
PROBE = """
<script>
setTimeout(() => {
  const painted = [...document.querySelectorAll("canvas")].filter(canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(pixels.buffer)).size > 3;
  });
  document.documentElement.dataset.painted = painted.length;
}, 300);
</script>
"""


def report(folder: Path) -> str:
    path = folder / "report.html"
    done = simulate(
        "bursty", *SMALL, *TWO, "--overcommit", "4", "--overcommit", "6", "--html", str(path)
    )
    assert done.exit_code == 0, done.output
    return path.read_text(encoding="utf-8")


def painted(path: Path) -> str:
    """What a browser makes of a report, and how many of its plots have anything on them."""
    probed = path.with_name("probed.html")
    probed.write_text(path.read_text(encoding="utf-8").replace("</body>", PROBE + "</body>"))
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--virtual-time-budget=5000",
            "--dump-dom",
            probed.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_the_report_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    page = report(tmp_path)
    assert "2 policies on bursty" in page
    assert page.count("<tr data-policy=") == 4
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "https://" not in re.sub(r"/\*!.*?\*/", "", page, flags=re.DOTALL)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    arms = json.loads(data[1])["arms"]
    for arm in arms:
        series = arm["fleet_series"]
        assert len(series["guests"]) == 4
        lengths = {len(series[name]) for name in ("elapsed_s", "demand_bytes", "short_byte_s")}
        assert len(lengths) == 1
        assert (sum(series["short_byte_s"]) > 0) == (arm["unmet_ratio"] > 0)
    assert any(arm["unmet_ratio"] > 0 for arm in arms)


def test_full_physics_show_work_lost_and_kills(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    done = simulate("boot-storm", *SMALL, *TWO, "--full", "--html", str(path))
    assert done.exit_code == 0, done.output
    page = path.read_text(encoding="utf-8")
    assert "Work lost, s per VM and day" in page
    assert "Killed" in page


@pytest.mark.slow
def test_a_scenarios_guests_are_plotted(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    done = simulate(SCENARIO, "--policy", "adaptive", "--workers", "1", "--html", str(path))
    assert done.exit_code == 0, done.output
    data = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', path.read_text(), re.DOTALL
    )
    assert data is not None
    arm = json.loads(data[1])["arms"][0]
    lengths = {
        len(cells) for rows in arm["scenario_series"]["guests"].values() for cells in rows.values()
    }
    assert lengths == {len(arm["scenario_series"]["elapsed_s"])}
    assert 100 < lengths.pop() <= 240
    assert 0 < arm["latency_p50_s"] <= arm["latency_p99_s"]
    assert arm["host_swap_in_bytes"] <= arm["host_swap_out_bytes"]
    assert isinstance(arm["recovery_s"], list)
    if CHROMIUM is not None:
        dom = painted(path)
        assert f'data-painted="{len(arm["scenario_series"]["guests"])}"' in dom
        assert "data-error" not in dom


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_paints_every_plot(tmp_path: Path) -> None:
    """Unmet demand, distress and the four guests of the tightest host; nothing complains."""
    path = tmp_path / "report.html"
    report(tmp_path)
    dom = painted(path)
    assert 'data-plots="6"' in dom
    assert 'data-painted="6"' in dom
    assert "data-error" not in dom


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    done = simulate("bursty", *SMALL, *TWO, "--html", str(tmp_path / "no" / "report.html"))
    assert done.exit_code == 2
    assert "--html" in done.output
