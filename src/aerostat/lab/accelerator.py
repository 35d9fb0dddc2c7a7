"""Finds out what can run guests here: KVM where it really boots one, else emulation (TCG).

A KVM device may open, pass every ioctl and let QEMU say "running" while guest code is interpreted
hundreds of times too slowly. So the probe is a boot, against a deadline.
"""

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aerostat.lab.image import GuestImage
from aerostat.lab.image.cache import publish, scratch_directory
from aerostat.lab.machine import Machine, MachineError, MachineSpec
from aerostat.lab.machine.command import QEMU
from aerostat.units import MIB

_BOOT_S = 3.0  # a KVM guest takes well under one, an emulated one two
_VERDICT_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """What runs the guests, and why not the other."""

    name: Literal["kvm", "tcg"]
    why: str


async def probe_accelerator(
    image: GuestImage, *, cache_dir: Path, device: Path = Path("/dev/kvm")
) -> Accelerator:
    """Decide between KVM and TCG, by booting the guest where that is not decided yet.

    Args:
        image: the guest to boot.
        cache_dir: where the verdict is kept for an hour, for this kernel, QEMU and image.
        device: KVM's.

    Raises:
        MachineError: QEMU is not installed.
    """
    version = qemu_version()
    if not device.exists():
        return Accelerator(name="tcg", why=f"there is no {device}")
    if not os.access(device, os.R_OK | os.W_OK):
        return Accelerator(name="tcg", why=f"{device} may not be opened by this user")
    record = cache_dir / "accelerator.json"
    key = f"{os.uname().release} / {version} / {image.digest}"
    known = _read_verdict(record, key)
    if known is not None:
        return known
    verdict = await _boot(image)
    _write_verdict(record, key, verdict)
    return verdict


def qemu_version() -> str:
    """Return the first line of what QEMU says of itself.

    Raises:
        MachineError: it is not installed, or does not run.
    """
    try:
        done = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MachineError(
            f"{QEMU} does not run ({error}); on Debian and Ubuntu: apt-get install qemu-system-x86"
        ) from error
    return done.stdout.partition("\n")[0]


async def _boot(image: GuestImage) -> Accelerator:
    spec = MachineSpec(name="probe", ram_bytes=256 * MIB, accelerator="kvm", swap="none")
    with tempfile.TemporaryDirectory(prefix="aerostat-probe-") as run_dir:
        try:
            async with Machine.start(spec, image, Path(run_dir)) as machine:
                hello = await machine.wait_booted(_BOOT_S)
        except MachineError as error:
            reason = ": ".join(str(error).splitlines()[:2])  # what the lab saw, and QEMU's words
            return Accelerator(name="tcg", why=f"KVM is there but boots no guest: {reason}")
    return Accelerator(name="kvm", why=f"KVM booted a guest in {hello.uptime_s:.1f} s")


def _read_verdict(record: Path, key: str) -> Accelerator | None:
    try:
        document = json.loads(record.read_text())
        if document["key"] != key or not 0 <= time.time() - document["wall_s"] < _VERDICT_S:
            return None
        return Accelerator(name=document["name"], why=document["why"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # none yet, or from another version: probe


def _write_verdict(record: Path, key: str, verdict: Accelerator) -> None:
    document = {"key": key, "wall_s": time.time(), "name": verdict.name, "why": verdict.why}
    with scratch_directory(record.parent) as scratch:
        fresh = scratch / record.name
        fresh.write_text(json.dumps(document, indent=1))
        publish(fresh, record)
