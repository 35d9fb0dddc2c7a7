"""Redis in a real guest, driven by its own load generator, under the lab's policies."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from aerostat.lab.application.found import Chunk
from aerostat.lab.application.port import ApplicationPort
from aerostat.lab.application.run import ApplicationPlan, compare_on_redis
from aerostat.lab.image import build_image
from aerostat.lab.image.application import with_redis
from aerostat.lab.image.cache import cache_directory
from aerostat.lab.machine import Machine, MachineSpec
from aerostat.units import MIB

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.beside,
    pytest.mark.timeout(600),
]


def test_redis_holds_what_it_is_given_and_answers(tmp_path: Path) -> None:
    chunks = asyncio.run(_chunks(tmp_path))
    assert chunks
    assert all(chunk.requests > 0 and chunk.p99_s > 0 for chunk in chunks)


async def _chunks(directory: Path) -> list[Chunk]:
    cache = cache_directory()
    image = with_redis(build_image(cache, print), cache, print)
    spec = MachineSpec(name="ada", ram_bytes=256 * MIB, has_application_port=True)
    async with Machine.start(spec, image, directory) as machine:
        await machine.wait_booted(240.0)
        port = ApplicationPort("ada", machine.files.application)
        await port.open()
        await port.fill(20_000)
        chunks = await port.load(20_000, 5.0, 0)
        port.close()
    return chunks


def test_policies_are_compared_on_it() -> None:
    """All of the comparison, small: each policy's arm serves, and everybody gets a part."""
    plan = ApplicationPlan(
        policies=("static", "adaptive"),
        guests=("ada", "bob"),
        ram_bytes=256 * MIB,
        budget_bytes=420 * MIB,
        big_keys=25_000,
        small_keys=2_000,
        turn_s=4.0,
    )
    found = asyncio.run(compare_on_redis(plan, lambda _words: None))
    assert found.arms[0].policy == "unconstrained"
    assert {arm.policy for arm in found.arms} == {"unconstrained", "static", "adaptive"}
    for arm in found.arms:
        assert set(arm.guests) == {"ada", "bob"}
        assert all(requests > 0 for requests in arm.guests.values()), arm
        assert arm.requests_per_s > 0
        assert len(arm.fill_s) == plan.turns
        if arm.why_invalid is not None:
            assert "cores busy" in arm.why_invalid, "on a busy machine, and for nothing else"


def test_an_application_nobody_offers_is_refused() -> None:
    command = [sys.executable, "-m", "aerostat", "lab", "bench", "--application", "oracle"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "redis" in done.stderr
