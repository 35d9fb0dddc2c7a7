"""``aerostat lab bench --mechanism`` on real guests: moves of a balloon, and the daemon's cost."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]

SCHEMA = json.loads(
    resources.files("aerostat.lab.mechanism").joinpath("mechanism.schema.json").read_text("utf-8")
)


def test_moves_are_measured_with_and_without_huge_pages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aerostat", "lab", "bench", "--mechanism", "--repeats", "1"]
    done = subprocess.run(
        [*command, "-o", "json", "-q", "--directory", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "aerostat.mechanism/1"
    Draft202012Validator(SCHEMA).validate(document)
    kinds = {(m["huge_pages"], m["touched"], m["direction"]) for m in document["moves"]}
    assert len(kinds) == 8
    for move in document["moves"]:
        assert move["moved_bytes"] >= 0.98 * move["asked_bytes"], move
        assert move["bytes_per_s"] > 0
        assert move["vm_cpu_s"] > 0
        assert 0 <= move["lost"] <= move["offered"]
    freed = [
        m["host_freed_bytes"]
        for m in document["moves"]
        if m["touched"] and m["direction"] == "inflate" and not m["huge_pages"]
    ]
    if freed[0] is not None:  # there are memory cgroups
        assert freed[0] > 200 << 20, "what was used and freed comes back to the host"
    assert 0 < document["daemon"]["cpu_ratio"] < 0.5
    assert document["daemon"]["peak_rss_bytes"] < 200 << 20
    assert json.loads((tmp_path / "aerostat-mechanism.json").read_text()) == document
