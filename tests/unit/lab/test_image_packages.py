"""Which packages make the image: as Debian and as Ubuntu lay them out, with and without lists."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aerostat.lab.image.errors import ImageError
from aerostat.lab.image.packages import find_packages
from aerostat.lab.image.resolution import resolve_packages

DEBIAN = {
    "linux-image-cloud-amd64": ["linux-image-6.1.0-56-cloud-amd64"],
    "linux-image-6.1.0-56-cloud-amd64": ["kmod", "linux-base", "initramfs-tools"],
}
UBUNTU = {
    "linux-image-virtual": ["linux-image-6.8.0-87-generic"],
    "linux-image-6.8.0-87-generic": ["kmod", "linux-base", "linux-modules-6.8.0-87-generic"],
    "linux-modules-6.8.0-87-generic": ["wireless-regdb"],
}
Install = Callable[[dict[str, list[str]]], None]

pytestmark = pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="the lab's guest is for x86_64"
)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put programs before the real ones that answer as apt does from a given index."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)

    def write(index: dict[str, list[str]]) -> None:
        depends = "".join(
            f"{name})\nprintf '%s\\n' {name} "
            + " ".join(f"'  Depends: {needed}'" for needed in needs)
            + " ;;\n"
            for name, needs in index.items()
        )
        _script(programs / "apt-cache", f"case $2 in\n{depends}*) exit 100 ;; esac")
        _script(
            programs / "apt-get",
            'shift 2; for p in "$@"; do '
            "printf \"'http://x/%s.deb' %s_1%%3a2_amd64.deb 1000 SHA256:%064d\\n\" $p $p 7; done",
        )
        _script(programs / "dpkg-deb", "exit 0")

    return write


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_debians_kernel_is_one_package(install: Install) -> None:
    install(DEBIAN)
    names = [package.name for package in find_packages()]
    assert names == ["linux-image-6.1.0-56-cloud-amd64", "busybox-static"]


def test_ubuntus_kernel_has_its_modules_apart(install: Install) -> None:
    install(UBUNTU)
    assert [package.name for package in find_packages()] == [
        "linux-image-6.8.0-87-generic",
        "linux-modules-6.8.0-87-generic",
        "busybox-static",
    ]


def test_size_hash_and_file_name_come_from_the_index(install: Install) -> None:
    install(DEBIAN)
    kernel = find_packages()[0]
    assert kernel.file_name == "linux-image-6.1.0-56-cloud-amd64_1%3a2_amd64.deb"
    assert (kernel.size_bytes, kernel.sha256) == (1000, "7".zfill(64))


def test_without_lists_it_says_what_to_run(install: Install) -> None:
    install({})
    with pytest.raises(ImageError, match="run: apt-get update"):
        find_packages()


def test_apt_is_asked_again_only_when_its_lists_have_changed(
    install: Install, tmp_path: Path
) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    install(DEBIAN)
    first = resolve_packages(tmp_path / "cache", lists_dir=lists)
    install(UBUNTU)
    assert resolve_packages(tmp_path / "cache", lists_dir=lists) == first
    os.utime(lists, (1, 1))
    assert resolve_packages(tmp_path / "cache", lists_dir=lists) != first


def test_lists_that_are_gone_do_not_take_the_image_away(install: Install, tmp_path: Path) -> None:
    """Container images come without lists, and the cache may have been filled before."""
    lists = tmp_path / "lists"
    lists.mkdir()
    install(DEBIAN)
    first = resolve_packages(tmp_path / "cache", lists_dir=lists)
    install({})
    assert resolve_packages(tmp_path / "cache", lists_dir=tmp_path / "gone") == first
    with pytest.raises(ImageError):
        resolve_packages(tmp_path / "empty", lists_dir=tmp_path / "gone")
