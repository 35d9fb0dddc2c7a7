"""The rigs for the real programs, on stand-ins in their place: processes, real time, real ids.

So that what will be played on Cloud Hypervisor and Firecracker has been played before.
"""

import sys
from pathlib import Path

import pytest

from aerostat.model.events import LifecycleKind
from drivers.contract.kinds import CASES, KINDS
from drivers.contract.rig import Case, Rig
from drivers.contract.rig_real_api import (
    MakeRig,
    RealCloudHypervisorRig,
    RealFirecrackerRig,
    play_on,
)

PROGRAMS: dict[str, tuple[MakeRig, str]] = {
    "ch": (RealCloudHypervisorRig, f"{sys.executable} -m aerostat.sim.cloud_hypervisor"),
    "fc": (RealFirecrackerRig, f"{sys.executable} -m aerostat.sim.firecracker"),
}
PAIRS = [
    pytest.param(name, case, id=f"{name}-{case}")
    for name in PROGRAMS
    for case in CASES
    if case not in KINDS[name].cannot
]
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _no_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in boots nothing."""
    monkeypatch.setenv("AEROSTAT_GUEST_KERNEL", "/dev/null")
    monkeypatch.setenv("AEROSTAT_GUEST_INITRAMFS", "/dev/null")


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_a_stand_in_is_taken_for_the_program(name: str, case: str, tmp_path: Path) -> None:
    make_rig, command = PROGRAMS[name]
    play_on(make_rig, command, CASES[case], tmp_path)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_process_that_takes_the_place_of_another_is_another_vm(name: str, tmp_path: Path) -> None:
    """On the same socket and within a moment: nobody has seen the first one gone."""

    async def replaced(rig: Rig) -> None:
        ada = await rig.started("ada")
        await rig.end("ada")
        await rig.start("ada")

        async def is_told() -> bool:
            return len(rig.told(ada)) >= 3

        await rig.until(is_told, "one has gone, and one has come")
        kinds = [LifecycleKind.APPEARED, LifecycleKind.DISAPPEARED, LifecycleKind.APPEARED]
        assert rig.told(ada) == kinds

    make_rig, command = PROGRAMS[name]
    play_on(make_rig, command, Case(name="replaced", promise="", play=replaced), tmp_path)
