"""The QEMU command line of a lab machine."""

from dataclasses import dataclass
from pathlib import Path

from aerostat.lab.image import GuestImage
from aerostat.lab.machine.spec import MachineSpec
from aerostat.units import MIB

QEMU = "qemu-system-x86_64"
# A QEMU's own memory under TCG grows with this; 32 MiB would already be enough for such a guest.
_TRANSLATION_CACHE_MIB = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFiles:
    """Where a machine's files and sockets are."""

    qmp: Path  # for the daemon
    lab_qmp: Path  # for the lab; named so that a glob of *.qmp does not find it
    agent: Path  # the agent's port, where the machine has one
    console: Path
    errors: Path
    swap: Path
    application: Path
    shell: Path  # the serial line of its shell, where it has one

    @classmethod
    def below(cls, run_dir: Path, name: str) -> "MachineFiles":
        """Name the files of a machine."""
        return cls(
            qmp=run_dir / f"{name}.qmp",
            lab_qmp=run_dir / f"{name}.lab",
            agent=run_dir / f"{name}.agent",
            console=run_dir / f"{name}.console",
            errors=run_dir / f"{name}.stderr",
            swap=run_dir / f"{name}.swap",
            application=run_dir / f"{name}.application",
            shell=run_dir / f"{name}.shell",
        )

    def all(self) -> tuple[Path, ...]:
        """List them."""
        return (
            self.qmp,
            self.lab_qmp,
            self.agent,
            self.console,
            self.errors,
            self.swap,
            self.application,
            self.shell,
        )


def qemu_command(
    spec: MachineSpec, image: GuestImage, files: MachineFiles, *, port_fd: int, swap_cache: str
) -> list[str]:
    """Write the command line.

    Args:
        spec: the machine.
        image: what it boots.
        files: where its sockets and files go.
        port_fd: inherited socket behind the workload's virtio-serial port.
        swap_cache: QEMU's cache mode for the swap file.
    """
    return [
        *(QEMU, "-M", "q35", "-name", spec.name, "-m", str(spec.ram_bytes // MIB), "-smp", "1"),
        *_accelerator(spec),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-serial", f"file:{_escaped(files.console)}"),
        *_shell(spec, files),
        *("-kernel", str(image.kernel), "-initrd", str(image.initramfs)),
        *("-append", " ".join(_kernel_arguments(spec))),
        *("-qmp", f"unix:{_escaped(files.qmp)},server=on,wait=off"),
        *("-qmp", f"unix:{_escaped(files.lab_qmp)},server=on,wait=off"),
        *("-device", "virtio-serial-pci", "-chardev", f"socket,id=workload,fd={port_fd}"),
        *("-device", "virtserialport,chardev=workload,name=org.aerostat.workload.0"),
        *_agent_port(spec, files),
        *_application(spec, files),
        *_balloon(spec),
        *_swap(spec, files, swap_cache),
        *_data_disk(spec),
        *spec.extra_args,
    ]


def _accelerator(spec: MachineSpec) -> list[str]:
    if spec.accelerator == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    # Kernels from 6.12 on crash under QEMU 7.2's emulation of cmpxchg16b, and use it only where it
    # is. Without rdrand a guest waits a second for randomness when mkswap asks for some.
    return ["-accel", f"tcg,tb-size={_TRANSLATION_CACHE_MIB}", "-cpu", "qemu64,-cx16,+rdrand"]


def _agent_port(spec: MachineSpec, files: MachineFiles) -> list[str]:
    if not spec.has_agent_port:
        return []
    backend = f"socket,id=agent,path={_escaped(files.agent)},server=on,wait=off"
    device = "virtserialport,chardev=agent,name=org.aerostat.agent.0"
    return ["-chardev", backend, "-device", device]


def _shell(spec: MachineSpec, files: MachineFiles) -> list[str]:
    if not spec.has_shell:
        return []
    return ["-serial", f"unix:{_escaped(files.shell)},server=on,wait=off"]  # the guest's ttyS1


def _application(spec: MachineSpec, files: MachineFiles) -> list[str]:
    if not spec.has_application_port:
        return []
    socket = f"socket,id=application,path={_escaped(files.application)},server=on,wait=off"
    port = "virtserialport,chardev=application,name=org.aerostat.application.0"
    return ["-chardev", socket, "-device", port]


def _balloon(spec: MachineSpec) -> list[str]:
    if not spec.has_balloon:
        return []
    options = f"deflate-on-oom={_on(spec.deflate_on_oom)}"
    if spec.free_page_reporting:
        options += ",free-page-reporting=on"
    return ["-device", f"virtio-balloon-pci,id=balloon0,{options}"]


def _swap(spec: MachineSpec, files: MachineFiles, swap_cache: str) -> list[str]:
    if spec.swap != "vda":
        return []
    drive = f"file={_escaped(files.swap)},format=raw,if=none,id=swap,cache={swap_cache},aio=threads"
    return ["-drive", drive, "-device", "virtio-blk-pci,drive=swap"]


def _data_disk(spec: MachineSpec) -> list[str]:
    # Zeros from QEMU itself: no file, no page cache and no disk of the host has a part in it.
    if spec.disk_bytes == 0:
        return []
    backend = f"driver=null-co,node-name=files,size={spec.disk_bytes},read-zeroes=on,read-only=on"
    return ["-blockdev", backend, "-device", "virtio-blk-pci,drive=files,serial=files"]


def _kernel_arguments(spec: MachineSpec) -> list[str]:
    arguments = ["console=ttyS0", "panic=-1", "quiet", "psi=1", "nokaslr", "mitigations=off"]
    if spec.accelerator == "tcg":
        # Emulated time does not drift, and watching it costs a guest that runs seldom.
        # Nor is its timer broken: where the host gives a booting guest no turn, the kernel would
        # take it for that, and panic.
        arguments += ["tsc=reliable", "no_timer_check"]
    arguments += [f"swap={spec.swap}"]
    if spec.swap == "zram":
        arguments += [f"zram_bytes={spec.swap_bytes}"]
    if spec.has_shell:
        arguments += ["shell=ttyS1"]
    if spec.balloon_driver == "absent":
        arguments += ["noballoon"]
    if spec.balloon_driver == "late":
        arguments += [f"balloon_after={spec.balloon_after_s:g}"]
    return [*arguments, *spec.workload.kernel_arguments(), *spec.kernel_args]


def _escaped(path: Path) -> str:
    """Write a path for one of QEMU's comma-separated options."""
    return str(path).replace(",", ",,")


def _on(value: bool) -> str:
    return "on" if value else "off"
