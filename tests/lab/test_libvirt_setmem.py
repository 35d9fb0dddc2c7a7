"""``virsh setmem`` upwards on a domain as libvirt makes it: told, and left as it was put."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage
from aerostat.units import MIB
from daemon_process import daemons
from libvirtd_process import is_there, private_libvirtd, until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.beside,
    pytest.mark.skipif(not is_there(), reason="libvirtd is not installed: libvirt-daemon"),
]

BUDGET_MIB = 200
RAISED_MIB = 232
NEAR_MIB = 8
QUIET_S = 15.0
REST_S = 6.0
CONFIG = f"""
mode = "enforce"
[libvirt]
uri = "{{uri}}"
[host]
budget = "{BUDGET_MIB}MiB"
reserve = "64MiB"
burst_reserve = "0%"
burst_reserve_min = "0%"
[advanced]
grace = "2s"
step = "20%"
step_rate = "64MiB"
"""


def at_rest(look: Callable[[], int]) -> Callable[[], bool]:
    """Whether what is looked at has been the same for a while."""
    seen, since_s = look(), time.monotonic()

    def is_at_rest() -> bool:
        nonlocal seen, since_s
        if (now := look()) != seen:
            seen, since_s = now, time.monotonic()
        return time.monotonic() - since_s > REST_S

    return is_at_rest


def test_a_domain_that_somebody_raises_is_told_and_left_to_them(
    image: GuestImage, tmp_path: Path
) -> None:
    config = tmp_path / "aerostat.toml"
    with private_libvirtd(image) as host, daemons(tmp_path) as start:
        # No autodeflate, as libvirt has it unless told otherwise: it cannot let go by itself.
        domain = host.create("ada", devices="<memballoon model='virtio'/>")
        host.booted("ada")
        config.write_text(CONFIG.format(uri=host.uri))
        daemon = start("-c", str(config))
        until(lambda: host.actual_mib("ada") <= BUDGET_MIB + NEAR_MIB, "it is squeezed")
        until(at_rest(lambda: host.actual_mib("ada")), "it has come to rest")
        domain.setMemory(RAISED_MIB * 1024)
        told = daemon.until_said("foreign_target", guest="ada")
        assert told["actual_bytes"] > told["held_bytes"] >= (BUDGET_MIB - NEAR_MIB) * MIB
        until(lambda: host.actual_mib("ada") >= RAISED_MIB - 1, "it is raised")
        give_up_s = time.monotonic() + QUIET_S
        while time.monotonic() < give_up_s:
            assert abs(host.actual_mib("ada") - RAISED_MIB) <= 1, daemon.transcript
            time.sleep(0.2)
        assert len(daemon.said("foreign_target")) == 1
