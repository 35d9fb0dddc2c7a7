"""A lab image with an application people run: Redis and its own load generator.

Both are the distribution's. They come as a second archive behind the lab's own: the kernel unpacks
both. What they need of shared libraries is read from the programs themselves, and looked up in the
packages that theirs depends on.
"""

import gzip
import hashlib
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from aerostat.lab.image import cpio
from aerostat.lab.image.build import GuestImage
from aerostat.lab.image.cache import publish, scratch_directory
from aerostat.lab.image.errors import ImageError
from aerostat.lab.image.packages import Progress, fetch_package, find_libraries_of, unpack

PACKAGE = "redis-tools"
"""Debian's and Ubuntu's package of both programs: the server's own holds a link to one of them."""
_PROGRAMS = {"redis-server": "redis-check-rdb", "redis-benchmark": "", "redis-cli": ""}
_NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")
_INTERPRETER = re.compile(r"program interpreter: (/\S+)\]")
_FORMAT = 1


def with_redis(image: GuestImage, cache_dir: Path, on_progress: Progress) -> GuestImage:
    """Return the image with Redis in it, built unless it is cached. Takes seconds; blocks.

    Raises:
        ImageError: something is missing; the message says what to run.
    """
    packages = find_libraries_of(PACKAGE)
    parts = [str(_FORMAT), image.digest, hashlib.sha256(_script()).hexdigest()]
    parts += [package.file_name for package in packages]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]
    final = cache_dir / "images" / f"{digest}-redis"
    if not final.exists():
        archives = [fetch_package(package, cache_dir, on_progress) for package in packages]
        on_progress("building the guest image with Redis")
        with scratch_directory(cache_dir) as scratch:
            tree, made = scratch / "tree", scratch / "image"
            for directory in (tree, made):
                directory.mkdir()
            for archive in archives:
                unpack(archive, tree)
            more = gzip.compress(cpio.write_archive(_entries(tree)), compresslevel=1, mtime=0)
            (made / "initramfs.gz").write_bytes(image.initramfs.read_bytes() + more)
            publish(made, final)
    return replace(image, initramfs=final / "initramfs.gz", digest=digest)


def _script() -> bytes:
    return files("aerostat.lab.image").joinpath("application.sh").read_bytes()


def _entries(tree: Path) -> list[cpio.Entry]:
    programs = {name: _program(tree, link or name) for name, link in _PROGRAMS.items()}
    interpreter = _interpreter(programs["redis-server"])
    entries = [
        *(cpio.directory(name) for name in ("application", "lib64", "usr", "usr/lib")),
        cpio.regular_file("application/start", _script(), is_executable=True),
    ]
    for name, program in programs.items():
        entries.append(
            cpio.regular_file(f"application/{name}", program.read_bytes(), is_executable=True)
        )
    for name, library in sorted(_libraries(tree, programs.values()).items()):
        where = interpreter.lstrip("/") if name == Path(interpreter).name else f"usr/lib/{name}"
        entries.append(cpio.regular_file(where, library.read_bytes(), is_executable=True))
    return entries


def _program(tree: Path, name: str) -> Path:
    path = tree / "usr" / "bin" / name
    if not path.exists():
        raise ImageError(f"the package {PACKAGE} of this distribution holds no {name}")
    return path


def _libraries(tree: Path, programs: Iterable[Path]) -> dict[str, Path]:
    """All shared libraries that the programs need, and those need, by name."""
    there = {p.name: p for p in sorted(tree.glob("**/*.so*")) if _inside(p).is_file()}
    found: dict[str, Path] = {}
    pending = [name for program in programs for name in _needed(program)]
    while pending:
        name = pending.pop()
        if name in found:
            continue
        if name not in there:
            raise ImageError(f"none of the packages that {PACKAGE} depends on holds {name}")
        found[name] = _inside(there[name])
        pending += _needed(found[name])
    return found


def _inside(path: Path) -> Path:
    """The file that a library's name stands for: links of packages lead to their neighbours."""
    return path.parent / path.readlink() if path.is_symlink() else path


def _needed(file: Path) -> Iterator[str]:
    yield from _NEEDED.findall(_readelf("-d", file))


def _interpreter(program: Path) -> str:
    found = _INTERPRETER.search(_readelf("-l", program))
    if found is None:
        raise ImageError(f"{program.name} names no program interpreter")
    return found[1]


def _readelf(what: str, file: Path) -> str:
    command = ["readelf", what, str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ImageError("readelf is missing: apt-get install binutils") from error
    if done.returncode != 0:
        raise ImageError(f"readelf {what} {file.name} failed: {done.stderr.strip()}")
    return done.stdout
