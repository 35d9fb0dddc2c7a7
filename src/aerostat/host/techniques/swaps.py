"""What the host swaps to, from /proc/swaps."""

from dataclasses import dataclass

from aerostat.host.techniques.kernel import Kernel
from aerostat.units import KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One device or file that the host swaps to."""

    device: str
    is_file: bool
    size_bytes: int
    used_bytes: int
    priority: int


def parse_swaps(text: str) -> tuple[Swap, ...]:
    """Parse /proc/swaps; blanks in names, which the kernel writes in octal, are given back."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) == 5 and all(word.lstrip("-").isdigit() for word in fields[2:]):
            name, kind, size_kib, used_kib, priority = fields
            found.append(
                Swap(
                    device=name.replace("\\040", " "),
                    is_file=kind == "file",
                    size_bytes=int(size_kib) * KIB,
                    used_bytes=int(used_kib) * KIB,
                    priority=int(priority),
                )
            )
    return tuple(found)


def read_swaps(kernel: Kernel) -> tuple[Swap, ...]:
    """All that the host swaps to now."""
    return parse_swaps(kernel.read_if_any("/proc/swaps") or "")


def is_swapped_to(kernel: Kernel, device: str) -> bool:
    """Whether the host swaps to this device or file."""
    return any(swap.device == device for swap in read_swaps(kernel))
