"""A pool that is full takes nothing in until it has room again; what zswap is set to stays."""

import asyncio
from pathlib import Path

import pytest

from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.zswap import PARAMETERS
from aerostat.lab.techniques.pool_gate import PoolGate, pool_held
from aerostat.units import KIB, MIB

MOST = 100 * MIB


class Host:
    """The files that count."""

    def __init__(self, root: Path) -> None:
        self.kernel = Kernel(root)
        self._enabled = self.kernel.path(f"{PARAMETERS}/enabled")
        self._meminfo = self.kernel.path("/proc/meminfo")
        self._enabled.parent.mkdir(parents=True)
        self._meminfo.parent.mkdir(parents=True)
        self.switch("Y")
        self.pool(0)

    def switch(self, value: str) -> None:
        self._enabled.write_text(f"{value}\n")

    def pool(self, size_mib: int) -> None:
        self._meminfo.write_text(f"MemTotal: 4000000 kB\nZswap: {size_mib * MIB // KIB} kB\n")

    @property
    def enabled(self) -> str:
        return self._enabled.read_text().strip()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_it_shuts_at_the_limit_and_opens_at_nine_tenths_of_it(host: Host) -> None:
    gate = PoolGate(host.kernel, MOST)
    seen = []
    for size_mib in (99, 101, 95, 91, 89, 99, 101):
        host.pool(size_mib)
        gate.turn()
        seen.append(host.enabled)
    assert seen == ["Y", "N", "N", "N", "Y", "Y", "N"]


def test_zswap_that_somebody_switched_off_stays_off(host: Host) -> None:
    gate = PoolGate(host.kernel, MOST)
    host.switch("N")
    for size_mib in (150, 50):
        host.pool(size_mib)
        gate.turn()
    gate.open()
    assert host.enabled == "N"


def test_a_kernel_that_refuses_fails_the_arm_and_zswap_is_set_as_before(host: Host) -> None:
    class Refusing(Kernel):
        def write(self, name: str, text: str, *, may_fall_short: bool = False) -> None:
            if text == "N":
                super().write(name, text, may_fall_short=may_fall_short)
            elif not refused:
                refused.append(name)
                raise TechniqueError(name)
            else:
                super().write(name, text, may_fall_short=may_fall_short)

    refused: list[str] = []

    async def arm() -> None:
        host.pool(150)
        async with asyncio.timeout(30), pool_held(Refusing(host.kernel.root), MOST):
            while host.enabled == "Y":  # noqa: ASYNC110 # a file tells nobody
                await asyncio.sleep(0.001)
            host.pool(50)
            while not refused:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    with pytest.raises(TechniqueError):
        asyncio.run(arm())
    assert host.enabled == "Y"


def test_at_the_end_it_is_set_as_before_however_full_it_is(host: Host) -> None:
    async def arm() -> None:
        host.pool(150)
        async with asyncio.timeout(30), pool_held(host.kernel, MOST):
            while host.enabled == "Y":  # noqa: ASYNC110 # a file tells nobody
                await asyncio.sleep(0.001)

    asyncio.run(arm())
    assert host.enabled == "Y"
