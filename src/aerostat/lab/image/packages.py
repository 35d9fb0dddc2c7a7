"""The distribution's packages: which ones hold a kernel, and their files, without installing.

Nothing here needs root: ``apt-get download`` writes to the current directory only.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aerostat.lab.image.cache import publish, scratch_directory
from aerostat.lab.image.errors import ImageError

Progress = Callable[[str], None]

# Debian's and Ubuntu's kernels for virtual machines, in the order they are looked for.
_KERNELS = ("linux-image-cloud-amd64", "linux-image-virtual")
_KERNEL_PART = re.compile(r"^\s*\|?Depends: (linux-(?:image|modules)-\S+)", re.MULTILINE)
_PYTHON = re.compile(r"Depends: (python3\.\d+)-minimal")
_FFI = re.compile(r"Depends: (libffi\S+)")
_LIBRARY = re.compile(r"^  (?:Pre)?Depends: (lib\S+)", re.MULTILINE)
_URI_LINE = re.compile(r"^'(\S+)' (\S+\.deb) (\d+) (?:SHA256:([0-9a-f]{64}))?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package file of the distribution, as its index describes it."""

    name: str
    file_name: str
    size_bytes: int
    sha256: str | None  # None: the index does not say


def find_packages() -> tuple[Package, ...]:
    """Find the files that hold a kernel for virtual machines, its modules and a static busybox.

    Raises:
        ImageError: this is not such a distribution, or its package lists are missing.
    """
    machine = os.uname().machine
    if machine != "x86_64":
        raise ImageError(f"the lab's guest is built for x86_64 only, and this machine is {machine}")
    for program in ("apt-get", "apt-cache", "dpkg-deb"):
        if shutil.which(program) is None:
            raise ImageError(
                f"the lab builds its guest from Debian or Ubuntu packages, and {program} "
                "is not installed here"
            )
    return look_up((*_kernel_packages(), "busybox-static"))


def find_python_packages() -> tuple[Package, ...]:
    """Find the files that hold the distribution's Python, as far as the agent in a guest needs it.

    Raises:
        ImageError: apt does not know one.
    """
    found = _PYTHON.search(run_tool("apt-cache", "depends", "python3-minimal", check=False))
    if found is None:
        raise ImageError("python3-minimal is not in the package lists; run: apt-get update")
    python = found[1]
    standard = f"lib{python}-stdlib"  # for ctypes, by which the agent locks its memory
    ffi = _FFI.search(run_tool("apt-cache", "depends", standard, check=False))
    names = [f"{python}-minimal", f"lib{python}-minimal", standard, "libc6", "libexpat1", "zlib1g"]
    return look_up((*names, *([ffi[1]] if ffi is not None else [])))


def find_host_packages() -> tuple[Package, ...]:
    """Find what a guest that plays a host needs beside its kernel: Python, and a static busybox.

    Raises:
        ImageError: this is not such a distribution, or its package lists are missing.
    """
    return (*find_python_packages(), *look_up(("busybox-static",)))


def find_libraries_of(name: str) -> tuple[Package, ...]:
    """Find a package's file, and those of all the libraries that it and they depend on.

    Raises:
        ImageError: this is not such a distribution, or its package lists are missing.
    """
    found: list[str] = []
    pending = [name]
    while pending:
        package = pending.pop()
        found.append(package)
        listing = run_tool("apt-cache", "depends", package)
        pending += [p for p in _LIBRARY.findall(listing) if p not in found and p not in pending]
    return look_up(tuple(sorted(found)))


def fetch_package(
    package: Package, cache_dir: Path, on_progress: Progress, *, options: Sequence[str] = ()
) -> Path:
    """Return the package's file, downloaded unless it is cached.

    ``options`` are apt's, where it is to look in other lists than the system's.

    Raises:
        ImageError: it cannot be downloaded, or is not what the index promises.
    """
    final = cache_dir / "packages" / package.file_name
    if final.exists():
        return final
    on_progress(f"downloading {package.name} ({package.size_bytes / 1e6:.0f} MB)")
    with scratch_directory(cache_dir) as scratch:
        # apt warns that its own user cannot write here, where root may run it unsandboxed anyway.
        sandbox = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
        run_tool("apt-get", "download", "-q", *sandbox, *options, package.name, cwd=scratch)
        downloaded = scratch / package.file_name
        if not downloaded.exists():
            raise ImageError(f"apt-get download {package.name} did not give {package.file_name}")
        found = hashlib.sha256(downloaded.read_bytes()).hexdigest()
        if package.sha256 is not None and found != package.sha256:
            raise ImageError(f"{package.file_name} has SHA-256 {found}, not {package.sha256}")
        publish(downloaded, final)
    return final


def unpack(file: Path, into: Path) -> None:
    """Unpack a package's files below a directory."""
    run_tool("dpkg-deb", "-x", str(file), str(into), cwd=into)


def _kernel_packages() -> list[str]:
    for name in _KERNELS:
        found = kernel_parts(name)
        if found:
            return found
    raise ImageError(
        f"neither {' nor '.join(_KERNELS)} is in the package lists; if the lists are missing or "
        "old, run: apt-get update"
    )


def kernel_parts(meta: str, *, options: Sequence[str] = ()) -> list[str]:
    """Follow a meta package to the packages that hold the files (an image, and its modules)."""
    found: list[str] = []
    pending = [meta]
    while pending:
        name = pending.pop()
        listing = run_tool("apt-cache", "depends", name, *options, check=False)
        for part in _KERNEL_PART.findall(listing):
            if part not in found:
                found.append(part)
                pending.append(part)
    return found


def look_up(names: Sequence[str], *, options: Sequence[str] = ()) -> tuple[Package, ...]:
    """Read from the index what apt would download for these packages.

    Raises:
        ImageError: it knows no file of one of them.
    """
    listing = run_tool("apt-get", "download", "--print-uris", *names, *options)
    files = {
        file_name.partition("_")[0]: Package(
            name=file_name.partition("_")[0],
            file_name=file_name,
            size_bytes=int(size),
            sha256=sha256 or None,
        )
        for _uri, file_name, size, sha256 in _URI_LINE.findall(listing)
    }
    missing = [name for name in names if name not in files]
    if missing:
        raise ImageError(f"apt knows no file of {', '.join(missing)}; run: apt-get update")
    return tuple(files[name] for name in names)


def run_tool(*command: str, cwd: Path | None = None, check: bool = True) -> str:
    """What one of the distribution's tools says.

    Raises:
        ImageError: it failed, and ``check``.
    """
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if check and done.returncode != 0:
        raise ImageError(
            f"{' '.join(command)} failed: {done.stderr.strip()}\n"
            "If the package lists are missing or old, run: apt-get update"
        )
    return done.stdout
