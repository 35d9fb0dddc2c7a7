"""``aerostat demo --real`` from start to end: what a newcomer's first minute comes to."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aerostat.lab.image import GuestImage
from aerostat.lab.result import result_schema
from deadlines import PATIENCE_S
from demo_document import arms_of, document_in, operations

pytestmark = [pytest.mark.lab, pytest.mark.slow]

"""The demo takes about 80 s; other work on the machine may slow its boot."""


def run_demo(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run the demo; it and its guests end even if it does not."""
    with subprocess.Popen(
        [sys.executable, "-m", "aerostat", "demo", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, errors = process.communicate(timeout=PATIENCE_S)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: nobody else is in it
            raise
    return process.returncode, out, errors


def test_the_demo_moves_memory_between_real_guests_and_that_is_worth_it(
    image: GuestImage, cache_dir: Path, tmp_path: Path
) -> None:
    arguments = ["--real", "--seconds", "60", "-o", "json", "-q", "--directory", str(tmp_path)]
    status, out, errors = run_demo(arguments, {"AEROSTAT_CACHE": str(cache_dir)})
    assert status == 0, errors
    assert errors == ""  # quiet was asked for
    document = document_in(out)
    jsonschema.validate(document, result_schema())
    assert document["accelerator"] in {"tcg", "kvm"}
    assert document["machine"]["guest_kernel"] == image.kernel_version
    assert document == document_in((tmp_path / "aerostat-demo.json").read_text())
    assert "<html" in (tmp_path / "aerostat-demo.html").read_text()[:500]

    for arm in document["arms"]:
        assert_sound(arm)
    static, adaptive = arms_of(document, "static"), arms_of(document, "adaptive")
    assert len(static) == len(adaptive) >= 1
    assert len(arms_of(document, "unconstrained")) == 1
    assert operations(adaptive) > operations(static)
    assert all(arm["churn_bytes"] > 0 for arm in adaptive)
    assert all(arm["decisions"] for arm in adaptive)


def assert_sound(arm: Mapping[str, Any]) -> None:
    """The arm counts, nobody was killed in it, and no page was harmed."""
    assert arm["valid"], arm["why_invalid"]
    assert arm["oom_kills"] == 0
    assert arm["checksum_errors"] == 0
    assert arm["operations"] > 0
    assert set(arm["guests"]) == {"ada", "bob", "cleo"}
