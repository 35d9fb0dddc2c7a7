"""``aerostat lab techniques`` on real guests: every arm runs, and the host is as it was."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.zswap import KNOBS as ZSWAP_KNOBS
from aerostat.host.techniques.zswap import PARAMETERS
from aerostat.lab.directory import PREFIX
from aerostat.lab.machine.cgroup import find_hierarchy
from aerostat.present.schema import result_schema
from deadlines import PATIENCE_S, REAL_GUESTS_S

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="changing the host's techniques takes root"),
]

SCHEDULE = """
seed = 3
rate = 500
slo = "50ms"
budget = "330MiB"
compressible_percent = 50
identical_percent = 50
warm_up = "2s"
settle = "0s"
[[guest]]
name = "ada"
ram = "192MiB"
[[guest]]
name = "bob"
ram = "192MiB"
[[phase]]
duration = "4s"
hot = { ada = "90MiB", bob = "20MiB" }
[[phase]]
duration = "4s"
hot = { ada = "20MiB", bob = "90MiB" }
"""


def host_state() -> dict[str, object]:
    """Everything a lab changes: knobs, swap, cgroups of all kinds, processes, directories."""
    kernel = Kernel()
    places = [Path("/var/tmp"), Path(tempfile.gettempdir())]  # only looked at
    knobs = [*(f"/sys/kernel/mm/ksm/{n}" for n in ("run", "pages_to_scan", "sleep_millisecs"))]
    knobs += ZSWAP_KNOBS
    return {
        **{name: kernel.read_if_any(name) for name in knobs},
        "swaps": sorted(s.device for s in read_swaps(kernel) if "/aerostat-" in s.device),
        "zram": sorted(path.name for path in Path("/sys/block").glob("zram*")),
        "cgroups": sorted(str(path) for path in _groups()),
        "processes": sorted(guests_of_labs()),
        "directories": sorted(str(p) for place in places for p in place.glob(f"{PREFIX}*")),
    }


def _groups() -> Iterator[Path]:
    for mount in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*")):
        yield from mount.glob("**/aerostat-lab-*")


def guests_of_labs() -> list[int]:
    """Processes of guests whose files are in a lab's directory."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended while we looked
        if b"qemu-system" in words[0] and any(f"/{PREFIX}".encode() in word for word in words):
            found.append(int(directory.name))
    return found


def command(tmp_path: Path, *more: str) -> list[str]:
    schedule = tmp_path / "small.toml"
    schedule.write_text(SCHEDULE)
    lab = [sys.executable, "-m", "aerostat", "lab", "techniques", "--schedule", str(schedule)]
    return [*lab, "--full", "--repeats", "1", "--directory", str(tmp_path), *more]


@pytest.fixture(autouse=True)
def memory_cgroup() -> None:
    hierarchy = find_hierarchy()
    if isinstance(hierarchy, str):
        pytest.skip(hierarchy)


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A cache of images shared with the other tests; host changes are put back whatever happens."""
    before = host_state()
    environment = dict(os.environ)
    yield environment
    subprocess.run([sys.executable, "-m", "aerostat", "lab", "clean"], env=environment, check=True)
    assert host_state() == before


def test_arms_run_and_the_host_is_as_it_was(tmp_path: Path, environment: dict[str, str]) -> None:
    before = host_state()
    wanted = ("zswap", "zram", "ksm_swap", "ladder")
    chosen = [word for name in wanted for word in ("--technique", name)]
    done = subprocess.run(
        command(tmp_path, *chosen, "-q"),
        env=environment,
        capture_output=True,
        text=True,
        timeout=REAL_GUESTS_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert host_state() == before
    document = json.loads((tmp_path / "aerostat-techniques.json").read_text())
    jsonschema.validate(document, result_schema())
    arms = {arm.get("technique", "reference"): arm for arm in document["arms"]}
    assert set(arms) == {"reference", *wanted}
    for name, arm in arms.items():
        assert arm["checksum_errors"] == 0, name
        assert arm["operations"] > 0, name
        if not arm["valid"]:
            assert "cores busy" in arm["why_invalid"], "on a busy machine, and for nothing else"
    # The kernel takes whole percent of the machine's RAM for the pool: of a budget so small, much.
    held = arms["zswap"]["host_memory_mean_bytes"]
    assert held < 1.25 * arms["zswap"]["budget_bytes"]
    assert "the whole ladder" in done.stdout
    assert (tmp_path / "aerostat-techniques.html").exists()


@pytest.mark.parametrize(
    ("technique", "knob"),
    [("zswap", f"{PARAMETERS}/enabled"), ("ladder", "/sys/kernel/mm/ksm/run")],
)
def test_a_lab_that_was_killed_is_cleaned_up_after(
    tmp_path: Path, environment: dict[str, str], technique: str, knob: str
) -> None:
    """Killed in the middle of an arm that has something of the host switched on."""
    before = host_state()
    with subprocess.Popen(
        command(tmp_path, "--technique", technique), env=environment, stderr=subprocess.DEVNULL
    ) as lab:
        give_up_s = time.monotonic() + REAL_GUESTS_S
        while Kernel().read_if_any(knob) == before[knob]:
            assert lab.poll() is None
            assert time.monotonic() < give_up_s, f"{knob} was never changed"
            time.sleep(0.1)
        lab.send_signal(signal.SIGKILL)
    assert host_state() != before
    give_up_s = time.monotonic() + PATIENCE_S
    while guests_of_labs() != before["processes"]:
        assert time.monotonic() < give_up_s, "guests die with their lab"
        time.sleep(0.1)
    clean = [sys.executable, "-m", "aerostat", "lab", "clean"]
    done = subprocess.run(clean, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "put back" in done.stdout
    assert host_state() == before
    again = subprocess.run(clean, env=environment, capture_output=True, text=True, check=False)
    assert "put back" in again.stdout, "what there is to say"
