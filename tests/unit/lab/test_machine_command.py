"""The command line says what the specification asks for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from aerostat.cli.main import app
from aerostat.lab.image import GuestImage
from aerostat.lab.machine.command import MachineFiles, qemu_command
from aerostat.lab.machine.spec import MachineSpec, WorkloadSpec
from aerostat.units import MIB

IMAGE = GuestImage(
    kernel=Path("/i/vmlinuz"),
    initramfs=Path("/i/initramfs.gz"),
    digest="d",
    kernel_version="6.1",
    has_zram=True,
)


def command(spec: MachineSpec, run_dir: str = "/run") -> list[str]:
    files = MachineFiles.below(Path(run_dir), spec.name)
    return qemu_command(spec, IMAGE, files, port_fd=9, swap_cache="none")


def kernel_arguments(spec: MachineSpec) -> list[str]:
    words = command(spec)
    return words[words.index("-append") + 1].split()


def test_the_balloon_is_as_asked_or_not_there() -> None:
    text = " ".join(command(MachineSpec(name="a", free_page_reporting=True, deflate_on_oom=False)))
    assert "virtio-balloon-pci,id=balloon0,deflate-on-oom=off,free-page-reporting=on" in text
    assert "virtio-balloon" not in " ".join(command(MachineSpec(name="a", has_balloon=False)))


def test_a_drivers_absence_or_lateness_is_the_guests_matter() -> None:
    assert "noballoon" in kernel_arguments(MachineSpec(name="a", balloon_driver="absent"))
    late = MachineSpec(name="a", balloon_driver="late", balloon_after_s=2.5)
    assert "balloon_after=2.5" in kernel_arguments(late)
    assert "virtio-balloon-pci" in " ".join(command(late))


def test_swap_is_a_disk_or_zram_or_none() -> None:
    assert "virtio-blk-pci,drive=swap" in command(MachineSpec(name="a", swap="vda"))
    zram = MachineSpec(name="a", swap="zram", swap_bytes=64 * MIB)
    assert f"zram_bytes={64 * MIB}" in kernel_arguments(zram)
    for spec in (zram, MachineSpec(name="a", swap="none")):
        assert "virtio-blk-pci" not in " ".join(command(spec))


def test_a_shell_has_a_serial_line_beside_the_console() -> None:
    spec = MachineSpec(name="a", has_shell=True)
    words = command(spec)
    lines = [words[at + 1] for at, word in enumerate(words) if word == "-serial"]
    assert lines == ["file:/run/a.console", "unix:/run/a.shell,server=on,wait=off"]
    assert "shell=ttyS1" in kernel_arguments(spec)
    assert command(MachineSpec(name="a")).count("-serial") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--swap", "floppy"), "none of none, vda, zram"),
        (("--memory", "10MiB"), "at least 96 MiB"),
        (("--memory", "much"), "not a size"),
    ],
)
def test_a_shell_that_cannot_be_is_wrong_usage(options: tuple[str, ...], words: str) -> None:
    done = CliRunner().invoke(app, ["lab", "shell", *options], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert words in done.output


def test_the_workload_starts_as_specified() -> None:
    spec = MachineSpec(
        name="a",
        workload=WorkloadSpec(
            hot_bytes=MIB,
            rate=5,
            keep="cold",
            seed=3,
            compressible_percent=40,
            identical_percent=30,
        ),
    )
    wanted = {
        "wl.hot=1048576",
        "wl.rate=5",
        "wl.keep=cold",
        "wl.seed=3",
        "wl.comp=40",
        "wl.same=30",
    }
    assert wanted <= set(kernel_arguments(spec))


def test_a_comma_in_a_path_does_not_end_an_option() -> None:
    assert "file:/a,,b/x.console" in command(MachineSpec(name="x"), "/a,b")


def test_a_glob_of_monitors_finds_the_daemons_and_not_the_labs() -> None:
    files = MachineFiles.below(Path("/run"), "ada")
    assert [path.name for path in files.all() if path.match("*.qmp")] == ["ada.qmp"]


@pytest.mark.parametrize("name", ["", "Ada", "a b", "../x", "-a", "a" * 40])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a machine"):
        MachineSpec(name=name)
