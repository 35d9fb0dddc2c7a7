"""Builds the guest's kernel and initramfs, or finds them in the cache."""

import gzip
import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from aerostat.lab.image import cpio
from aerostat.lab.image.cache import publish, scratch_directory
from aerostat.lab.image.errors import ImageError
from aerostat.lab.image.modules import ModuleTree
from aerostat.lab.image.packages import (
    Package,
    Progress,
    fetch_package,
    find_python_packages,
    unpack,
)
from aerostat.lab.image.python import agent_file, python_entries
from aerostat.lab.image.resolution import resolve_packages

_FORMAT = 4  # of the image; raise it when this file changes what goes in
_COMPILER_FLAGS = ("-O2", "-std=gnu11", "-static", "-s", "-pthread")
_BOOT_MODULES = ("virtio_pci", "virtio_blk", "virtio_console")
_BALLOON_MODULES = ("virtio_balloon",)
_POWER_MODULES = ("button", "evdev")
# Up to 6.11 zram finds its compressor by the crypto API's module aliases, which needs modprobe.
_ZRAM_MODULES = ("lzo", "lzo_rle", "zram")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestImage:
    """A kernel and an initramfs that boot into the lab's workload."""

    kernel: Path
    initramfs: Path
    digest: str  # of everything they were made from
    kernel_version: str
    has_zram: bool  # Ubuntu keeps it in a package of modules four times the size of the rest


def build_image(cache_dir: Path, on_progress: Progress, *, with_agent: bool = False) -> GuestImage:
    """Return the image for this distribution's packages, built unless it is cached.

    Takes seconds; blocks. Safe against other builders with the same cache.

    Args:
        cache_dir: where images and downloaded packages are kept.
        on_progress: told in words what is being done, where something is.
        with_agent: with the distribution's Python and Aerostat's agent in it: 20 MB more, so only
            for guests that are to have one.

    Raises:
        ImageError: something is missing; the message says what to run.
    """
    packages = resolve_packages(cache_dir)
    if with_agent:
        packages += resolve_packages(
            cache_dir, record_name="resolution-agent.json", find=find_python_packages
        )
    digest = _digest(packages, with_agent=with_agent)
    final = cache_dir / "images" / digest
    if not final.exists():
        archives = [fetch_package(package, cache_dir, on_progress) for package in packages]
        on_progress("building the guest image")
        with scratch_directory(cache_dir) as scratch:
            _build(archives, scratch, with_agent=with_agent)
            publish(scratch / "image", final)
    return _load(final, digest)


def _load(directory: Path, digest: str) -> GuestImage:
    description = json.loads((directory / "image.json").read_text())
    return GuestImage(
        kernel=directory / "vmlinuz",
        initramfs=directory / "initramfs.gz",
        digest=digest,
        kernel_version=description["kernel_version"],
        has_zram=description["has_zram"],
    )


def _sources() -> list[Traversable]:
    """The workload's C files, by name."""
    found = files("aerostat.lab.image").joinpath("workload").iterdir()
    return sorted(
        (item for item in found if item.name.endswith((".c", ".h"))), key=lambda item: item.name
    )


def _init_script() -> bytes:
    return files("aerostat.lab.image").joinpath("init.sh").read_bytes()


def _digest(packages: tuple[Package, ...], *, with_agent: bool) -> str:
    parts: list[tuple[str, str]] = [("format", str(_FORMAT)), ("flags", " ".join(_COMPILER_FLAGS))]
    parts += [(package.file_name, package.sha256 or "") for package in packages]
    parts.append(("init", hashlib.sha256(_init_script()).hexdigest()))
    parts += [(item.name, hashlib.sha256(item.read_bytes()).hexdigest()) for item in _sources()]
    if with_agent:
        parts.append(("agent", hashlib.sha256(agent_file()).hexdigest()))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]


def _build(archives: list[Path], scratch: Path, *, with_agent: bool) -> None:
    tree = scratch / "tree"
    image = scratch / "image"
    for directory in (tree, image):
        directory.mkdir()
    for archive in archives:
        unpack(archive, tree)
    kernel = _find(tree, "boot/vmlinuz-*")
    shutil.copyfile(kernel, image / "vmlinuz")
    version = kernel.name.removeprefix("vmlinuz-")
    modules = ModuleTree(_find(tree, f"**/lib/modules/{version}"))
    busybox = _find(tree, "**/bin/busybox").read_bytes()
    entries = _entries(modules, busybox, _compile(scratch))
    if with_agent:
        entries += python_entries(tree)
    archive_bytes = cpio.write_archive(entries)
    (image / "initramfs.gz").write_bytes(gzip.compress(archive_bytes, compresslevel=1, mtime=0))
    description = {"kernel_version": version, "has_zram": modules.has("zram")}
    (image / "image.json").write_text(json.dumps(description))


def _entries(modules: ModuleTree, busybox: bytes, workload: bytes) -> list[cpio.Entry]:
    boot = modules.load_order(_BOOT_MODULES)
    balloon = modules.load_order(_BALLOON_MODULES, loaded=boot)
    zram = modules.load_order(_ZRAM_MODULES, loaded=boot, is_optional=True)
    power = modules.load_order(_POWER_MODULES, loaded=boot, is_optional=True)
    lists = {"boot": boot, "balloon": balloon, "zram": zram, "power": power}
    return [
        *(cpio.directory(name) for name in ("bin", "dev", "modules")),
        # Without a console, init has nowhere to say why it cannot go on.
        cpio.character_device("dev/console", 5, 1),
        cpio.regular_file("init", _init_script(), is_executable=True),
        cpio.regular_file("bin/busybox", busybox, is_executable=True),
        cpio.regular_file("bin/workload", workload, is_executable=True),
        *(
            cpio.regular_file(f"modules/{name}.ko", modules.read(name))
            for name in dict.fromkeys((*boot, *balloon, *zram, *power))
        ),
        *(
            cpio.regular_file(
                f"modules/{group}.list", "".join(f"{name}.ko\n" for name in names).encode()
            )
            for group, names in lists.items()
        ),
    ]


def _compile(scratch: Path) -> bytes:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise ImageError(
            "the lab's workload is compiled on the spot, and there is no C compiler: "
            "apt-get install gcc libc6-dev"
        )
    output = scratch / "workload"
    with as_file(files("aerostat.lab.image").joinpath("workload")) as directory:
        sources = [str(directory / item.name) for item in _sources() if item.name.endswith(".c")]
        command = [compiler, *_COMPILER_FLAGS, "-o", str(output), *sources, "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageError(
            f"compiling the lab's workload failed: {done.stderr.strip()}\n"
            "If headers or static libraries are missing: apt-get install gcc libc6-dev"
        )
    return output.read_bytes()


def _find(tree: Path, pattern: str) -> Path:
    found = sorted(tree.glob(pattern))
    if not found:
        raise ImageError(f"the packages hold no {pattern}")
    return found[0]
