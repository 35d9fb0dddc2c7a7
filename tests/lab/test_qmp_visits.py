"""Real guests whose monitors lie as Proxmox's do: visits bring what a held connection brings."""

import asyncio
from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage
from aerostat.model.guest import GuestSnapshot
from aerostat.units import MIB, PAGE_BYTES
from deadlines import PATIENCE_S
from drivers.contract.kinds import CASES
from drivers.contract.rig import Traits
from drivers.contract.rig_real_qemu import RealQemuRig

WORKED_BYTES = 128 * MIB
"""Of new pages: so many faults that another boot does not make up for them."""

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]


class VisitedRig(RealQemuRig):
    """The rig of the contract, in a directory whose monitors are visited."""

    traits = Traits(patience_s=PATIENCE_S, report_s=6.0, notice_s=8.0)

    async def reset(self, name: str) -> None:
        """Of a guest that has worked: it is told by counters that fall, and a boot counts, too."""
        guest = await self.met(name)
        before = _minor_faults(await self.driver.read_guest(guest))
        self._machines[name].send(f"jump {WORKED_BYTES}")
        wanted = before + WORKED_BYTES // PAGE_BYTES // 2
        await self.until_read(guest, lambda read: _minor_faults(read) >= wanted, "it has worked")
        await super().reset(name)


def _minor_faults(read: GuestSnapshot) -> int:
    return 0 if read.statistics is None else read.statistics.minor_faults or 0


@pytest.mark.parametrize("case", ["sets", "reads", "pauses", "reset", "comes-anew", "timeout"])
def test_a_case_of_the_contract(case: str, image: GuestImage, run_dir: Path) -> None:
    directory = run_dir / "qemu-server"
    directory.mkdir()

    async def whole() -> None:
        async with VisitedRig(image, directory) as rig:
            await CASES[case].play(rig)

    asyncio.run(whole())
