"""Kernel modules of an unpacked package: where they are, and in which order they load.

The packages carry no ``modules.dep`` (the installed system writes it), so the dependencies are
read from where depmod itself finds them: the ``.modinfo`` section of every module.
"""

import gzip
import lzma
import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from aerostat.lab.image.errors import ImageError


def module_name(file_name: str) -> str:
    """Return the kernel's name of a module file: ``lzo-rle.ko.xz`` is ``lzo_rle``."""
    return Path(file_name).name.split(".ko", 1)[0].replace("-", "_")


def read_modinfo(elf: bytes) -> dict[str, str]:
    """Read the ``key=value`` strings of a module (the last of each key).

    Raises:
        ValueError: it is not a 64-bit little-endian ELF file with a ``.modinfo`` section.
    """
    if elf[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    try:
        (table,) = struct.unpack_from("<Q", elf, 0x28)
        size, count, names_index = struct.unpack_from("<HHH", elf, 0x3A)
        headers = [
            struct.unpack_from("<I20xQQ", elf, table + index * size) for index in range(count)
        ]
        names_start = headers[names_index][1]
    except (struct.error, IndexError) as error:
        raise ValueError("a truncated ELF file") from error
    for name_offset, start, length in headers:
        if elf.startswith(b".modinfo\0", names_start + name_offset):
            strings = elf[start : start + length].decode(errors="replace").split("\0")
            return dict(text.split("=", 1) for text in strings if "=" in text)
    raise ValueError("an ELF file without a .modinfo section")


def read_module(path: Path) -> bytes:
    """Read a module file, decompressed.

    Raises:
        ImageError: it is compressed in a way that cannot be undone here.
    """
    match path.suffix:
        case ".xz":
            return lzma.decompress(path.read_bytes())
        case ".gz":
            return gzip.decompress(path.read_bytes())
        case ".zst":
            return _read_zstd(path)
        case _:
            return path.read_bytes()


def _read_zstd(path: Path) -> bytes:
    program = shutil.which("zstd")
    if program is None:
        raise ImageError(
            "this kernel's modules are compressed with zstd, which is not installed: "
            "apt-get install zstd"
        )
    return subprocess.run([program, "-dcq", path], check=True, stdout=subprocess.PIPE).stdout


class ModuleTree:
    """The modules below ``lib/modules/VERSION`` of an unpacked kernel package."""

    def __init__(self, root: Path) -> None:
        self._files = {module_name(path.name): path for path in sorted(root.rglob("*.ko*"))}
        listing = root / "modules.builtin"
        lines = listing.read_text().splitlines() if listing.exists() else []
        self._built_in = frozenset(module_name(line) for line in lines)

    def load_order(
        self, wanted: Iterable[str], *, loaded: Iterable[str] = (), is_optional: bool = False
    ) -> tuple[str, ...]:
        """Order the wanted modules and all they need, each after what it needs.

        What is built into the kernel or already loaded is left out; so is, where
        ``is_optional``, what this kernel does not have at all.

        Raises:
            ImageError: a module that is needed is not in the package.
        """
        done = set(loaded)
        order: list[str] = []
        for name in wanted:
            if is_optional and not self.has(name):
                continue
            self._visit(name, done, order)
        return tuple(order)

    def has(self, name: str) -> bool:
        """Whether this kernel has a module, built in or loadable."""
        return name in self._files or name in self._built_in

    def read(self, name: str) -> bytes:
        """Read a module, decompressed."""
        return read_module(self._files[name])

    def _visit(self, name: str, done: set[str], order: list[str]) -> None:
        if name in done or (name in self._built_in and name not in self._files):
            return
        if name not in self._files:
            raise ImageError(f"the kernel package has no module {name}, built in or loadable")
        done.add(name)
        for needed in self._needs(name):
            self._visit(needed, done, order)
        order.append(name)

    def _needs(self, name: str) -> list[str]:
        try:
            depends = read_modinfo(self.read(name)).get("depends", "")
        except ValueError as error:
            raise ImageError(f"kernel module {self._files[name].name} is {error}") from error
        return [module_name(needed) for needed in depends.split(",") if needed]
