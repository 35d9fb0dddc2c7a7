"""Modules load after what they need, on kernels that pack and split them differently."""

import gzip
import lzma
import struct
from pathlib import Path

import pytest

from aerostat.lab.image.errors import ImageError
from aerostat.lab.image.modules import ModuleTree, module_name, read_modinfo


def module(depends: str, **others: str) -> bytes:
    """A 64-bit little-endian ELF file with nothing but a .modinfo section."""
    strings = {"license": "GPL", "depends": depends, **others}
    modinfo = b"".join(f"{key}={value}\0".encode() for key, value in strings.items())
    names = b"\0.shstrtab\0.modinfo\0"
    names_at, modinfo_at = 64, 64 + len(names)
    table_at = modinfo_at + len(modinfo)
    header = b"\x7fELF\x02\x01\x01".ljust(0x28, b"\0") + struct.pack("<Q", table_at)
    header = header.ljust(0x3A, b"\0") + struct.pack("<HHH", 64, 3, 1)

    def section(name_at: int, start: int, length: int) -> bytes:
        return struct.pack("<IIQQQQ", name_at, 1, 0, 0, start, length).ljust(64, b"\0")

    sections = section(0, 0, 0) + section(1, names_at, len(names))
    return header + names + modinfo + sections + section(11, modinfo_at, len(modinfo))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    drivers = tmp_path / "kernel" / "drivers"
    drivers.mkdir(parents=True)
    (drivers / "virtio_ring.ko").write_bytes(module(""))
    (drivers / "virtio.ko.xz").write_bytes(lzma.compress(module("virtio_ring")))
    (drivers / "virtio_pci.ko.gz").write_bytes(gzip.compress(module("virtio_ring,virtio")))
    (drivers / "lzo-rle.ko").write_bytes(module(""))
    (drivers / "broken.ko").write_bytes(b"\x7fELF\x02\x01 and no more")
    (drivers / "orphan.ko").write_bytes(module("not-there"))
    (tmp_path / "modules.builtin").write_text("kernel/drivers/block/virtio_blk.ko\n")
    return tmp_path


def test_what_a_module_needs_comes_before_it_and_only_once(tree: Path) -> None:
    order = ModuleTree(tree).load_order(["virtio_pci", "virtio"])
    assert order == ("virtio_ring", "virtio", "virtio_pci")


def test_what_is_loaded_or_built_in_is_left_out(tree: Path) -> None:
    modules = ModuleTree(tree)
    assert modules.load_order(["virtio_blk", "virtio"], loaded=["virtio_ring"]) == ("virtio",)


def test_a_dash_in_a_file_name_is_an_underscore_in_the_kernel(tree: Path) -> None:
    assert module_name("kernel/lib/lzo-rle.ko.zst") == "lzo_rle"
    assert ModuleTree(tree).load_order(["lzo_rle"]) == ("lzo_rle",)


def test_compressed_modules_are_read_plain(tree: Path) -> None:
    assert read_modinfo(ModuleTree(tree).read("virtio"))["depends"] == "virtio_ring"


def test_a_missing_module_is_an_error_unless_it_is_optional(tree: Path) -> None:
    modules = ModuleTree(tree)
    with pytest.raises(ImageError, match="no module virtio_balloon"):
        modules.load_order(["virtio_balloon"])
    assert modules.load_order(["zram", "virtio_ring"], is_optional=True) == ("virtio_ring",)


def test_a_missing_dependency_is_an_error_even_of_an_optional_module(tree: Path) -> None:
    with pytest.raises(ImageError, match="no module not_there"):
        ModuleTree(tree).load_order(["orphan"], is_optional=True)


def test_a_file_that_is_no_module_is_an_error(tree: Path) -> None:
    with pytest.raises(ImageError, match=r"broken\.ko is a truncated ELF file"):
        ModuleTree(tree).load_order(["broken"])


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF\x01\x01", b"\x7fELF\x02\x01" + bytes(58)])
def test_only_modules_have_modinfo(data: bytes) -> None:
    with pytest.raises(ValueError, match="ELF file"):
        read_modinfo(data)
