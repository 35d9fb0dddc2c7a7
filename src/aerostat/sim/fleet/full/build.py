"""What guests and hosts are made of under full physics, and their columns before the first tick."""

from collections.abc import Sequence
from dataclasses import dataclass

from aerostat.sim.ages import Ages
from aerostat.sim.compression import COMPRESSED_RATIO
from aerostat.sim.fleet.full.columns import Deep, Insides, Pace, Under
from aerostat.sim.fleet.full.constants import KERNEL_BYTES, PAGE_TABLE_RATIO


@dataclass(frozen=True, slots=True, kw_only=True)
class FullPhysics:
    """The same for all guests, and for all hosts; sizes as shares of a guest's max, or of a host.

    Attributes:
        pace: how fast balloons and swap devices are.
        kernel_bytes: of kernel and system, beside page tables.
        ages: of hot sets and of files alike: what the youngest parts take of the accesses.
        file_ratio: files that the page cache would hold.
        kept_ratio: of what a workload stops using, it keeps so much; the rest it gives back.
        swap_ratio: the guest's own swap.
        identical_ratio: of its memory, that others of its host hold as well.
        is_reporting: free page reporting.
        yields: deflate-on-oom.
        other_ratio: of the host's RAM, that its own programs hold beside the reserve.
        host_swap_ratio: the host's swap.
        pool_ratio: RAM that compressed pages may take; 0: no compression.
        compressed_ratio: what is left of a page's size.
        scan_rate: bytes a second, of the scanner for equal pages; 0: it does not run.
    """

    pace: Pace = Pace()
    kernel_bytes: int = KERNEL_BYTES
    ages: Ages = Ages(0.35, 0.5, 0.68, 0.86)
    file_ratio: float = 0.1
    kept_ratio: float = 0.3
    swap_ratio: float = 0.5
    identical_ratio: float = 0.0
    is_reporting: bool = False
    yields: bool = True
    other_ratio: float = 0.0
    host_swap_ratio: float = 0.5
    pool_ratio: float = 0.0
    compressed_ratio: float = COMPRESSED_RATIO
    scan_rate: float = 0.0

    def other_bytes(self, host_bytes: int) -> int:
        """What a host's own programs hold; guests have the less."""
        return int(self.other_ratio * host_bytes)


def no_deep() -> Deep:
    """Columns of a fleet that runs on simplified physics: all of them empty."""
    return Deep(
        insides=Insides(*([] for _ in Insides._fields)),
        under=Under(*([] for _ in Under._fields)),
        pace=Pace(),
    )


def deep_of(
    full: FullPhysics,
    *,
    sizes: tuple[Sequence[int], Sequence[int]],
    held: Sequence[int],
    demand: Sequence[int],
    host_bytes: Sequence[int],
) -> Deep:
    """Columns before the first tick: caches are empty, and what does not fit lies in swap.

    Args:
        full: what they are made of.
        sizes: min and max of each guest.
        held: what each holds.
        demand: what each wants.
        host_bytes: RAM of each host.
    """
    return Deep(
        insides=_insides(full, sizes, held, demand),
        under=_under(full, host_bytes),
        pace=full.pace,
    )


def _insides(
    full: FullPhysics,
    sizes: tuple[Sequence[int], Sequence[int]],
    held: Sequence[int],
    demand: Sequence[int],
) -> Insides:
    minima, maxima = sizes
    count = len(maxima)
    # No balloon takes a kernel's own memory, so no guest has a min below that.
    kernels = [
        min(least, full.kernel_bytes + int(most * PAGE_TABLE_RATIO))
        for least, most in zip(minima, maxima, strict=True)
    ]
    hot = [max(0, want - kernel) for want, kernel in zip(demand, kernels, strict=True)]
    swap = [int(full.swap_ratio * most) for most in maxima]
    fits = [max(0, size - kernel) for size, kernel in zip(held, kernels, strict=True)]
    # What fits neither into the guest nor into its swap is still to be allocated.
    hot = [min(size, fit + disk) for size, fit, disk in zip(hot, fits, swap, strict=True)]
    swapped = [max(0, size - fit) for size, fit in zip(hot, fits, strict=True)]
    resident = [size - out for size, out in zip(hot, swapped, strict=True)]
    return Insides(
        kernel_bytes=kernels,
        file_bytes=[int(full.file_ratio * most) for most in maxima],
        kept_ratio=[full.kept_ratio] * count,
        age_sixteenth=[full.ages.sixteenth] * count,
        age_eighth=[full.ages.eighth] * count,
        age_quarter=[full.ages.quarter] * count,
        age_half=[full.ages.half] * count,
        swap_bytes=swap,
        identical_bytes=[int(full.identical_ratio * most) for most in maxima],
        is_reporting=[int(full.is_reporting)] * count,
        yields=[int(full.yields)] * count,
        hot_bytes=hot,
        hot_swapped_bytes=swapped,
        cold_bytes=[0] * count,
        cold_swapped_bytes=[0] * count,
        cache_bytes=[0] * count,
        touched_bytes=[kernel + size for kernel, size in zip(kernels, resident, strict=True)],
        before_bytes=list(held),
        restart_in_s=[0.0] * count,
        refault_pages=[0.0] * count,
        lost_s=[0.0] * count,
        oom_kills=[0] * count,
    )


def _under(full: FullPhysics, host_bytes: Sequence[int]) -> Under:
    count = len(host_bytes)
    return Under(
        other_bytes=[full.other_bytes(size) for size in host_bytes],
        swap_bytes=[int(full.host_swap_ratio * size) for size in host_bytes],
        pool_bytes_max=[int(full.pool_ratio * size) for size in host_bytes],
        compressed_ratio=[full.compressed_ratio] * count,
        scan_rate=[full.scan_rate] * count,
        merged_bytes=[0] * count,
        disk_bytes=[0] * count,
        compressed_bytes=[0] * count,
        wait_per_touch_s=[0.0] * count,
        swap_in_bytes=[0] * count,
        swap_out_bytes=[0] * count,
        oom_kills=[0] * count,
    )
