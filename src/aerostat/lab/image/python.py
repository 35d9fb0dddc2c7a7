"""The distribution's Python for a guest, and the agent that runs on it: what both need, no more."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from aerostat.lab.image import cpio
from aerostat.lab.image.errors import ImageError

_LIBRARIES = ("libc.so.6", "libm.so.6", "libexpat.so.1", "libz.so.1", "libffi.so.*")
_LOADER = "ld-linux-x86-64.so.2"
_LEFT_OUT = ("email", "encodings", "importlib/metadata", "logging", "unittest")
_ENCODINGS = ("__init__", "aliases", "ascii", "latin_1", "utf_8")
_FROM_THE_REST = ("ctypes/*.py", "struct.py", "lib-dynload/_ctypes.*.so")


def agent_file() -> bytes:
    """The agent as it is shipped."""
    return files("aerostat.guest").joinpath("aerostat_agent.py").read_bytes()


def python_entries(tree: Path) -> list[cpio.Entry]:
    """Python as far as the agent needs it, and the agent.

    Raises:
        ImageError: a file is not where every Debian and Ubuntu has had it.
    """
    return [*interpreter_entries(tree), cpio.regular_file("aerostat_agent.py", agent_file())]


def interpreter_entries(tree: Path, more: Sequence[str] = ()) -> list[cpio.Entry]:
    """What of the unpacked packages goes into the archive.

    Args:
        tree: where they are unpacked.
        more: globs of files of the standard library that are to be there as well.

    Raises:
        ImageError: a file is not where every Debian and Ubuntu has had it.
    """
    program = _one(tree, "usr/bin/python3.*")
    version = program.name.removeprefix("python")
    library = tree / "usr/lib" / f"python{version}"
    sources = [
        *_minimal(library),
        *(p for pattern in (*_FROM_THE_REST, *more) for p in library.glob(pattern)),
    ]
    place = f"usr/lib/python{version}"
    inside = {f"{place}/{path.relative_to(library)}": path for path in sources}
    folders = {str(parent) for name in inside for parent in Path(name).parents} - {"."}
    folders |= {"lib", "lib64", "usr/bin"}
    return [
        *(cpio.directory(name) for name in sorted(folders)),
        cpio.regular_file("usr/bin/python3", program.read_bytes(), is_executable=True),
        cpio.regular_file(
            f"lib64/{_LOADER}", _one(tree, f"**/{_LOADER}").read_bytes(), is_executable=True
        ),
        *(_shared(tree, pattern) for pattern in _LIBRARIES),
        *(cpio.regular_file(name, inside[name].read_bytes()) for name in sorted(inside)),
    ]


def _minimal(library: Path) -> list[Path]:
    """The modules of the minimal package: those without which nothing starts, and their friends."""
    chosen = [
        path
        for path in library.glob("**/*.py")
        if path.parent == library or path.parent.name in ("collections", "importlib", "re")
    ]
    left = [path for path in chosen if not str(path.relative_to(library)).startswith(_LEFT_OUT)]
    return [*left, *(library / "encodings" / f"{name}.py" for name in _ENCODINGS)]


def _shared(tree: Path, pattern: str) -> cpio.Entry:
    found = _one(tree, f"**/{pattern}")
    # By the name that programs ask for: libffi.so.8, not libffi.so.8.1.2.
    name = ".".join(found.name.split(".")[:3])
    return cpio.regular_file(f"lib/{name}", found.read_bytes(), is_executable=True)


def _one(tree: Path, pattern: str) -> Path:
    found = sorted(path for path in tree.glob(pattern) if path.is_file())
    if not found:
        raise ImageError(f"the packages of Python hold no {pattern}")
    return found[0]
