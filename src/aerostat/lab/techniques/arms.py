"""The techniques that stand against each other, and what the classic table says of each."""

from dataclasses import dataclass
from enum import StrEnum

from aerostat.lab.experiment.policies import ADAPTIVE, STATIC, UNCONSTRAINED


class Host(StrEnum):
    """What the host does in an arm."""

    SWAP = "swap"
    ZSWAP = "zswap"
    ZRAM = "zram"
    KSM = "ksm"


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueArm:
    """One arm."""

    name: str  # stable: documents carry it
    title: str
    how: str
    guest_must: str  # know or have
    cost: str  # where it is paid
    policy: str = UNCONSTRAINED  # what the balloons do
    host: frozenset[Host] = frozenset()
    reports_free_pages: bool = False
    is_held: bool = False  # the host holds the guests to the budget; it takes what it must

    @property
    def has_pool(self) -> bool:
        """Whether compressed pages take memory beside what the guests are charged with."""
        return bool(self.host & {Host.ZSWAP, Host.ZRAM})

    @property
    def can_take_at_will(self) -> bool:
        """Whether it can be held to a budget at all, or only saves what there is to save."""
        return self.is_held or self.policy != UNCONSTRAINED


ARMS: tuple[TechniqueArm, ...] = (
    TechniqueArm(
        name="even_split",
        title="even split",
        how="balloons: the same to everybody",
        guest_must="have the balloon driver",
        cost="who needs more swaps",
        policy=STATIC,
    ),
    TechniqueArm(
        name="host_swap",
        title="host swap",
        how="the host swaps guest memory out",
        guest_must="nothing",
        cost="disk, and stalls nobody sees in the guest",
        host=frozenset({Host.SWAP}),
        is_held=True,
    ),
    TechniqueArm(
        name="zswap",
        title="zswap",
        how="compressed in memory, the rest to swap",
        guest_must="nothing",
        cost="CPU, and memory for the pool",
        host=frozenset({Host.SWAP, Host.ZSWAP}),
        is_held=True,
    ),
    TechniqueArm(
        name="zram",
        title="zram",
        how="a compressed swap device in memory, then swap",
        guest_must="nothing",
        cost="CPU, and memory for the device",
        host=frozenset({Host.SWAP, Host.ZRAM}),
        is_held=True,
    ),
    TechniqueArm(
        name="ksm",
        title="KSM",
        how="identical pages are merged",
        guest_must="nothing",
        cost="CPU to scan; copies when written",
        host=frozenset({Host.KSM}),
    ),
    TechniqueArm(
        name="ksm_swap",
        title="KSM and host swap",
        how="identical pages are merged, others swapped",
        guest_must="nothing",
        cost="CPU to scan; disk",
        host=frozenset({Host.KSM, Host.SWAP}),
        is_held=True,
    ),
    TechniqueArm(
        name="reporting",
        title="free page reporting",
        how="the guest tells which pages are free",
        guest_must="have the balloon driver",
        cost="faults when they are used again",
        reports_free_pages=True,
    ),
    TechniqueArm(
        name="balloon",
        title="Aerostat's balloons",
        how="memory moves to who needs it",
        guest_must="have the balloon driver",
        cost="CPU while it moves; guests may swap",
        policy=ADAPTIVE,
    ),
    TechniqueArm(
        name="ladder",
        title="the whole ladder",
        how="free pages, balloons, KSM, then zswap, then swap",
        guest_must="have the balloon driver",
        cost="as each step",
        policy=ADAPTIVE,
        host=frozenset({Host.SWAP, Host.ZSWAP}),
        reports_free_pages=True,
        is_held=True,
    ),
)
ARM_OF = {arm.name: arm for arm in ARMS}
LADDER = "ladder"
