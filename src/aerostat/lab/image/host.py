"""An image of a guest that plays a host: a newer kernel, Python, and this package's own source.

What the kernel of a machine lacks (the memory controller of cgroup v2, DAMON) is tried there on
real memory. One archive holds what comes from packages and is cached; a second one, written for
every run, holds the source as it is now and the program to run.
"""

import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from aerostat.lab.image import cpio
from aerostat.lab.image.build import GuestImage
from aerostat.lab.image.cache import publish, scratch_directory
from aerostat.lab.image.errors import ImageError
from aerostat.lab.image.modules import ModuleTree
from aerostat.lab.image.newer import fetch_newer_kernel
from aerostat.lab.image.packages import Progress, fetch_package, find_host_packages, unpack
from aerostat.lab.image.python import interpreter_entries
from aerostat.lab.image.resolution import resolve_packages

_FORMAT = 1
_MODULES = ("virtio_pci", "virtio_blk", "virtio_console")
_MODULES_IF_ANY = ("lz4", "lzo", "lzo_rle", "zstd", "zram")
_STANDARD_LIBRARY = (
    *("asyncio/*.py", "concurrent/**/*.py", "json/*.py", "logging/*.py", "pathlib/*.py"),
    *("urllib/*.py", "sysconfig/*.py"),
    *(f"lib-dynload/{name}.*.so" for name in ("_asyncio", "_contextvars", "_queue", "resource")),
    *(f"lib-dynload/{name}.*.so" for name in ("_typing", "_json", "_posixsubprocess", "mmap")),
)
_OWN_PACKAGES = ("units", "model", "ports", "host")
"""Of Aerostat: what touches a host, and what that imports; standard library only."""


def build_host_image(cache_dir: Path, on_progress: Progress) -> GuestImage:
    """Return the image without a program, built unless it is cached. Takes seconds; blocks.

    Raises:
        ImageError: something is missing, or there is no such kernel here; the message says which.
    """
    kernel, archives = fetch_newer_kernel(cache_dir, on_progress)
    others = resolve_packages(
        cache_dir, record_name="resolution-host.json", find=find_host_packages
    )
    parts = [str(_FORMAT), hashlib.sha256(_init_script()).hexdigest(), *_STANDARD_LIBRARY]
    parts += [package.file_name for package in (*kernel, *others)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]
    final = cache_dir / "images" / f"{digest}-host"
    if not final.exists():
        archives += [fetch_package(package, cache_dir, on_progress) for package in others]
        on_progress("building the image of a guest that plays a host")
        with scratch_directory(cache_dir) as scratch:
            _build(archives, scratch)
            publish(scratch / "image", final)
    description = json.loads((final / "image.json").read_text())
    return GuestImage(
        kernel=final / "vmlinuz",
        initramfs=final / "initramfs.gz",
        digest=digest,
        kernel_version=description["kernel_version"],
        has_zram=description["has_zram"],
    )


def with_program(image: GuestImage, into: Path, programs: Mapping[str, bytes]) -> GuestImage:
    """Return the image with this package's source and files beside it; ``main.py`` is run.

    Args:
        image: from ``build_host_image``.
        into: the file to write.
        programs: contents by name.
    """
    found = {**programs, **dict(_own_source())}
    folders = {str(parent) for name in found for parent in Path("program", name).parents} - {"."}
    entries = [
        *(cpio.directory(name) for name in sorted(folders)),
        *(cpio.regular_file(f"program/{name}", data) for name, data in sorted(found.items())),
    ]
    more = gzip.compress(cpio.write_archive(entries), compresslevel=1, mtime=0)
    into.write_bytes(image.initramfs.read_bytes() + more)
    return replace(image, initramfs=into)


def _init_script() -> bytes:
    return files("aerostat.lab.image").joinpath("host.sh").read_bytes()


def _own_source() -> Iterator[tuple[str, bytes]]:
    root = files("aerostat")
    yield "aerostat/__init__.py", root.joinpath("__init__.py").read_bytes()
    for name in _OWN_PACKAGES:
        yield from _sources(root.joinpath(name), f"aerostat/{name}")


def _sources(folder: Traversable, place: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _sources(item, f"{place}/{item.name}")
        elif item.name.endswith(".py"):
            yield f"{place}/{item.name}", item.read_bytes()


def _build(archives: list[Path], scratch: Path) -> None:
    tree, image = scratch / "tree", scratch / "image"
    for directory in (tree, image):
        directory.mkdir()
    for archive in archives:
        unpack(archive, tree)
    kernel = _one(tree, "boot/vmlinuz-*")
    shutil.copyfile(kernel, image / "vmlinuz")
    version = kernel.name.removeprefix("vmlinuz-")
    modules = ModuleTree(_one(tree, f"**/lib/modules/{version}"))
    order = modules.load_order(_MODULES)
    order += modules.load_order(_MODULES_IF_ANY, loaded=order, is_optional=True)
    entries = [
        *(cpio.directory(name) for name in ("bin", "dev", "modules")),
        cpio.character_device("dev/console", 5, 1),
        cpio.regular_file("init", _init_script(), is_executable=True),
        cpio.regular_file(
            "bin/busybox", _one(tree, "**/bin/busybox").read_bytes(), is_executable=True
        ),
        *(cpio.regular_file(f"modules/{name}.ko", modules.read(name)) for name in order),
        cpio.regular_file("modules/host.list", "".join(f"{n}.ko\n" for n in order).encode()),
        *interpreter_entries(tree, _STANDARD_LIBRARY),
    ]
    packed = gzip.compress(cpio.write_archive(entries), compresslevel=1, mtime=0)
    (image / "initramfs.gz").write_bytes(packed)
    description = {"kernel_version": version, "has_zram": modules.has("zram")}
    (image / "image.json").write_text(json.dumps(description))


def _one(tree: Path, pattern: str) -> Path:
    found = sorted(tree.glob(pattern))
    if not found:
        raise ImageError(f"the packages hold no {pattern}")
    return found[0]
