"""``aerostat lab bench --burst`` on a real guest: every way of hearing of a burst is measured."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.beside,
    pytest.mark.timeout(1000),
]


def test_memory_comes_back_in_every_arm_and_times_are_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aerostat", "lab", "bench", "--burst", "--repeats", "1"]
    done = subprocess.run(
        [*command, "-o", "json", "-q", "--directory", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "aerostat.burst/1"
    text = resources.files("aerostat.lab.burst").joinpath("burst.schema.json").read_text("utf-8")
    jsonschema.Draft202012Validator(json.loads(text)).validate(document)
    bursts = {burst["arm"]: burst for burst in document["bursts"]}
    assert set(bursts) == {"raw", "pushed", "1s", "2s", "10s"}
    played = {arm["name"]: arm["played"] for arm in document["arms"]}
    assert played["pushed"] >= 5 * played["raw"] / 3, "of raw, three tries at most"
    assert document["world"]["jump_bytes"] * 4 == document["world"]["ram_bytes"]
    for name in ("raw", "pushed"):  # whether a poll sees a stall before it is over is its luck
        burst = bursts[name]
        if burst["was_at_rest"] and "stalled_after_s" in burst:
            assert burst["most_s"] >= burst["first_page_s"], burst
    raw = bursts["raw"]
    assert raw.get("sent_s", 0.0) <= raw.get("first_page_s", float("inf"))
    assert json.loads((tmp_path / "aerostat-burst.json").read_text()) == document
