"""What a lab machine is to be: its memory, swap, balloon and workload."""

import re
from dataclasses import dataclass, field
from typing import Literal

from aerostat.units import MIB

Keep = Literal["release", "cold"]
SwapKind = Literal["none", "vda", "zram"]
BalloonDriver = Literal["loaded", "absent", "late"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSpec:
    """What the workload does from the start; hot set, reads, rate and keep can be changed later."""

    hot_bytes: int = 0
    reads_bytes: int = 0  # of files on its data disk, that requests read again and again
    rate: int = 0  # requests a second; each touches 8 pages and 64 KiB of the files
    # When the hot set shrinks, the rest is freed, or kept and not touched any more.
    keep: Keep = "release"
    seed: int = 1
    compressible_percent: int = 0  # of every page
    identical_percent: int = 0  # of pages: the same in every guest; read and never written

    def kernel_arguments(self) -> tuple[str, ...]:
        """Write it as arguments on the guest's kernel command line."""
        return (
            f"wl.seed={self.seed}",
            f"wl.comp={self.compressible_percent}",
            f"wl.same={self.identical_percent}",
            f"wl.keep={self.keep}",
            f"wl.hot={self.hot_bytes}",
            f"wl.reads={self.reads_bytes}",
            f"wl.rate={self.rate}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """One lab machine."""

    name: str  # also of its files and its cgroup
    ram_bytes: int = 512 * MIB
    accelerator: Literal["kvm", "tcg"] = "tcg"
    swap: SwapKind = "vda"
    swap_bytes: int = 512 * MIB
    disk_bytes: int = 0  # a data disk for the workload's files; it reads as zeros
    has_balloon: bool = True  # the device
    has_agent_port: bool = False  # for an image with the agent
    balloon_driver: BalloonDriver = "loaded"  # in the guest
    balloon_after_s: float = 5.0  # with a late driver: after boot
    deflate_on_oom: bool = True
    free_page_reporting: bool = False
    # Transparent huge pages would keep a ballooned page's neighbours on the host.
    huge_pages: bool = False
    has_application_port: bool = False  # to an application of the image's, beside the workload
    has_shell: bool = False  # on a serial line of its own; the machine ends with it
    workload: WorkloadSpec = field(default=WorkloadSpec())
    kernel_args: tuple[str, ...] = ()
    extra_args: tuple[str, ...] = ()  # of QEMU

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ValueError(f"{self.name!r} cannot name a machine: use up to 31 of a-z, 0-9 and -")
        if self.ram_bytes % MIB or self.ram_bytes < 96 * MIB:
            raise ValueError(
                f"a machine's RAM is whole MiB and at least 96 MiB, not {self.ram_bytes} bytes"
            )
