"""Boots the guest that plays a host, and brings back what it saw."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from aerostat.lab.image import GuestImage
from aerostat.units import MIB

RAM_MIB = 768
SWAP_BYTES = 512 * MIB
PATIENCE_S = 600.0
PROGRAMS = {
    name: Path(__file__).with_name(name).read_bytes()
    for name in ("main.py", "holder.py", "swapon.py")
}
# As all lab guests: kernels from 6.12 on crash under QEMU 7.2's emulation of cmpxchg16b.
CPU = "qemu64,-cx16,+rdrand"


def play(image: GuestImage, directory: Path) -> dict[str, dict[str, Any]]:
    """What each act saw, by its name.

    A failure shows the guest's console.
    """
    said, console, swap = (directory / name for name in ("said", "console", "swap"))
    with swap.open("wb") as file:
        file.truncate(SWAP_BYTES)
    command = [
        *("qemu-system-x86_64", "-M", "q35", "-m", str(RAM_MIB), "-smp", "1"),
        *("-accel", "tcg,tb-size=128", "-cpu", CPU),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-serial", f"file:{console}"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initramfs)),
        "-append",
        "console=ttyS0 panic=-1 quiet nokaslr mitigations=off tsc=reliable no_timer_check",
        *("-device", "virtio-serial-pci", "-chardev", f"file,id=said,path={said}"),
        *("-device", "virtserialport,chardev=said,name=org.aerostat.host.0"),
        *("-drive", f"file={swap},format=raw,if=none,id=swap,cache=unsafe"),
        *("-device", "virtio-blk-pci,drive=swap"),
    ]
    began_s = time.monotonic()
    done = subprocess.run(command, timeout=PATIENCE_S, capture_output=True, text=True, check=False)
    told = console.read_text(errors="replace")
    print(f"the guest ran {time.monotonic() - began_s:.0f} s\n{told}")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in said.read_text().splitlines()]
    return {line["act"]: line for line in lines}
