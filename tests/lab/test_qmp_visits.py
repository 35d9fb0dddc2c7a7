"""Real guests whose monitors lie as Proxmox's do: visits bring what a held connection brings."""

import asyncio
from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage
from deadlines import PATIENCE_S
from drivers.contract.kinds import CASES
from drivers.contract.rig import Traits
from drivers.contract.rig_real_qemu import RealQemuRig

pytestmark = [pytest.mark.lab, pytest.mark.slow]


class VisitedRig(RealQemuRig):
    """The rig of the contract, in a directory whose monitors are visited."""

    traits = Traits(patience_s=PATIENCE_S, report_s=6.0, notice_s=8.0)


@pytest.mark.parametrize("case", ["sets", "reads", "pauses", "reset", "comes-anew", "timeout"])
def test_a_case_of_the_contract(case: str, image: GuestImage, run_dir: Path) -> None:
    directory = run_dir / "qemu-server"
    directory.mkdir()

    async def whole() -> None:
        async with VisitedRig(image, directory) as rig:
            await CASES[case].play(rig)

    asyncio.run(whole())
