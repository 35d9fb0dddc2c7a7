"""A process that holds memory, as a VM does: run in the guest that plays a host.

    holder.py GROUP KIND MIB HOT_MIB FILLED

Joins the cgroup, holds so much of the kind ("own", "shared", "mergeable"), says so, and goes on
touching the hot part until it is killed. FILLED: "random", or "half", which compresses.
"""

import ctypes
import mmap
import os
import sys
import time
from pathlib import Path

PAGE_BYTES = 4096
MADV_MERGEABLE = 12


def main() -> None:
    group, kind, held_mib, hot_mib, filled = sys.argv[1:]
    Path(f"{group}/cgroup.procs").write_text("0")
    size = int(held_mib) << 20
    if kind == "shared":
        number = os.memfd_create("ram")
        os.ftruncate(number, size)
        held = mmap.mmap(number, size)
    else:
        held = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        held.madvise(MADV_MERGEABLE if kind == "mergeable" else mmap.MADV_NOHUGEPAGE)
    fill(held, kind, filled)
    print("holds", flush=True)
    hot = int(hot_mib) << 20
    while True:
        for at in range(0, hot, PAGE_BYTES):
            held[at] = 1
        time.sleep(0.05)


def fill(held: mmap.mmap, kind: str, filled: str) -> None:
    """Pages that differ from each other, or, to be merged, in nothing."""
    block = 1 << 20
    same = os.urandom(PAGE_BYTES) if kind != "mergeable" else b"\x55" * PAGE_BYTES
    for at in range(0, len(held), block):
        if kind == "mergeable":
            held[at : at + block] = same * (block // PAGE_BYTES)
        elif filled == "random":
            held[at : at + block] = os.urandom(block)
        else:
            held[at : at + block] = b"".join(
                os.urandom(PAGE_BYTES // 2) + bytes(PAGE_BYTES // 2)
                for _ in range(block // PAGE_BYTES)
            )


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # dies with who started it
    main()
