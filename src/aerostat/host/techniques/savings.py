"""What all techniques of this host save and cost now, whoever switched them on; changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.techniques.host_swap import HostSwap
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.ksm import Ksm
from aerostat.host.techniques.technique import Saving
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.zram import Zram
from aerostat.host.techniques.zswap import Zswap


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueFigures:
    """One technique."""

    is_usable: bool
    words: str  # what is there, or what is missing
    saving: Saving


def read_techniques(root: Path = Path("/")) -> Mapping[str, TechniqueFigures]:
    """All of them by name, as this host's kernel counts them."""
    kernel = Kernel(root)
    nothing = UndoLog(root / "nonexistent", kernel)  # nothing is changed, nothing is to be undone
    all_of_them = (
        HostSwap(kernel, nothing),
        Zswap(kernel, nothing),
        Zram(kernel, nothing),
        Ksm(kernel, nothing),
    )
    figures = {}
    for one in all_of_them:
        probe = one.probe()
        figures[one.name] = TechniqueFigures(
            is_usable=probe.is_usable, words=probe.why, saving=one.read()
        )
    return figures
