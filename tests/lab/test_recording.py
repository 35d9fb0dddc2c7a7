"""What a daemon recorded of real guests is decided again exactly."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage
from aerostat.units import MIB
from daemon_process import Daemons, aerostat, daemons
from lab.guests_in_thread import Guests, booted_guests
from lab.test_daemon import small_guest

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Daemons]:
    with daemons(tmp_path) as started:
        yield started


def live_a_little(guests: Guests) -> None:
    """Memory moves to and fro, one guest pauses, one ends."""
    guests.live_on(8)
    guests.order("bob", f"hot {120 * MIB}")
    guests.live_on(10)
    guests.order("bob", f"hot {16 * MIB}")
    guests.order("ada", f"hot {100 * MIB}")
    guests.live_on(10)
    guests.execute("ada", "stop")
    guests.execute("bob", "quit")
    guests.execute("ada", "cont")
    went_on_s = guests.latest("ada").uptime_s
    guests.until(lambda: guests.latest("ada").uptime_s >= went_on_s + 3, "ada goes on")


def test_what_was_decided_on_real_guests_is_decided_again_exactly(
    image: GuestImage, start: Daemons, run_dir: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    store, recording = tmp_path / "a.db", tmp_path / "a.parquet"
    config = tmp_path / "aerostat.toml"
    with booted_guests([small_guest("ada"), small_guest("bob")], image, run_dir) as guests:
        config.write_text(
            f'mode = "enforce"\n[qmp]\nsockets = ["{guests.sockets}"]\n'
            '[host]\nbudget = "400MiB"\nreserve = "64MiB"\n'
            '[advanced]\ngrace = "4s"\ndistress_quiet = "2s"\n'
        )
        daemon = start("-c", str(config), "--store", str(store), "--record", "1h")
        live_a_little(guests)
        assert daemon.stop() == 0
    exported = aerostat("record", "export", str(recording), "--store", str(store))
    assert exported.returncode == 0, exported.stderr
    assert "in full" in exported.stderr
    told = aerostat(
        "replay", str(recording), "--policy", "static", "--set", "advanced.headroom=20%",
        "-o", "json", deadline_s=900,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    document = json.loads(told.stdout)
    found = document["reproduction"]
    assert found["is_exact"], found
    assert found["rounds"] > 50
    moved = [
        guest["recorded_commands"] for guest in document["open_loop"]["alternatives"][0]["guests"]
    ]
    assert len(moved) == 2
    assert min(moved) > 0
    assert len(document["closed_loop"]["arms"]) == 2
