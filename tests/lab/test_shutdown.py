"""A real guest's power button: the daemon hears of it, and empties the balloon before it obeys."""

from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage
from aerostat.lab.machine import MachineSpec, WorkloadSpec
from aerostat.units import MIB
from daemon_process import Daemon, daemons
from lab.guests_in_thread import Guests, booted_guests

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]

RAM_BYTES = 256 * MIB
BUDGET_MIB = 320
DEAD_BANDS_BYTES = 16 * MIB  # what is closer than one for each is not moved
SQUEEZED_BYTES = BUDGET_MIB * MIB + DEAD_BANDS_BYTES


def guest(name: str, *kernel_args: str) -> MachineSpec:
    return MachineSpec(
        name=name,
        ram_bytes=RAM_BYTES,
        swap_bytes=256 * MIB,
        workload=WorkloadSpec(hot_bytes=16 * MIB, rate=500),
        kernel_args=kernel_args,
    )


def configuration(directory: Path, guests: Guests, *, shutdown: str) -> Path:
    path = directory / "aerostat.toml"
    path.write_text(
        f'mode = "enforce"\n[qmp]\nsockets = ["{guests.sockets}"]\n'
        f'[host]\nbudget = "{BUDGET_MIB}MiB"\nreserve = "64MiB"\nburst_reserve = "0%"\n'
        f'[store]\npath = "{directory}/aerostat.db"\n'
        f'[advanced]\ngrace = "4s"\ndistress_quiet = "2s"\nshutdown = "{shutdown}"\n'
    )
    return path


def squeeze(daemon: Daemon, guests: Guests) -> None:
    daemon.until(lambda: guests.total_actual_bytes() <= SQUEEZED_BYTES, "the guests are squeezed")


def test_it_has_its_memory_back_before_it_shuts_down(
    image: GuestImage, run_dir: Path, tmp_path: Path
) -> None:
    specs = [guest("eve", "powerdown_takes=6"), guest("fay")]
    with booted_guests(specs, image, run_dir) as guests, daemons(tmp_path) as start:
        daemon = start("-c", str(configuration(tmp_path, guests, shutdown="5m")))
        squeeze(daemon, guests)
        fay_bytes = guests.actual_bytes("fay")
        guests.execute("eve", "system_powerdown")

        daemon.until_said("guest_lifecycle", guest="eve", change="shutdown_asked")
        release = daemon.until_said("target", guest="eve", reason="released_for_shutdown")
        assert release["target_bytes"] == RAM_BYTES
        guests.until(lambda: guests.actual_bytes("eve") == RAM_BYTES, "the balloon is empty")
        assert not daemon.said("guest_lifecycle", guest="eve", change="shutdown")
        assert guests.actual_bytes("fay") >= fay_bytes - DEAD_BANDS_BYTES  # nobody gave for it

        ended = daemon.until_said("guest_lifecycle", guest="eve", change="shutdown")
        assert ended["detail"] == "guest-shutdown"
        daemon.until_said("guest_lifecycle", guest="eve", change="disappeared")
        assert len(daemon.said("target", guest="eve", reason="released_for_shutdown")) == 1
        assert daemon.stop() == 0


def test_one_that_is_deaf_to_it_is_balanced_again(
    image: GuestImage, run_dir: Path, tmp_path: Path
) -> None:
    with (
        booted_guests([guest("eve"), guest("fay")], image, run_dir) as guests,
        daemons(tmp_path) as start,
    ):
        daemon = start("-c", str(configuration(tmp_path, guests, shutdown="8s")))
        squeeze(daemon, guests)
        guests.execute("eve", "system_powerdown")
        daemon.until_said("target", guest="eve", reason="released_for_shutdown")
        guests.until(lambda: guests.actual_bytes("eve") == RAM_BYTES, "the balloon is empty")
        squeeze(daemon, guests)
        assert daemon.stop() == 0
