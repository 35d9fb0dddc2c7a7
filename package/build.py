"""Builds the Debian package: our wheel and the libraries it was tested with.

The libraries are those of the environment that this runs in, in the same versions, for the Python
of the system that the package is for. They lie in /usr/lib/aerostat, where nothing else looks.
"""

import argparse
import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from email.utils import formatdate
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "package" / "debian"
EXTRAS = "tui"
SHELLS = {
    "bash": "usr/share/bash-completion/completions/aerostat",
    "zsh": "usr/share/zsh/vendor-completions/_aerostat",
    "fish": "usr/share/fish/vendor_completions.d/aerostat.fish",
}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
# Wheels for these and older C libraries: Debian 12 has 2.36.
C_LIBRARIES = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")


@dataclass(frozen=True)
class Build:
    """What is built, for whom, and in which folder its files are gathered."""

    version: str
    architecture: str
    python: str
    epoch_s: int
    tree: Path


def main() -> None:
    """Build what the command line asks for."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="aerostat-package-") as scratch:
        build = Build(
            version=f"{_version()}-{options.revision}",
            architecture=_said("dpkg", "--print-architecture"),
            python=options.python or _system_python(),
            epoch_s=_epoch_s(),
            tree=Path(scratch, "tree"),
        )
        _libraries(build, Path(scratch))
        _files(build)
        _pages(build)
        _control(build)
        options.output.mkdir(parents=True, exist_ok=True)
        package = options.output / f"aerostat_{build.version}_{build.architecture}.deb"
        _pack(build, package)
    print(package)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build the Debian package of this checkout.")
    parser.add_argument("--python", help="of the system that it is for: 3.13; else of this one")
    parser.add_argument("--revision", type=int, default=1, help="of the package")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="a folder")
    return parser.parse_args()


def _version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def _system_python() -> str:
    show = "import sys; print('%d.%d' % sys.version_info[:2])"
    return _said(
        "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable, "-c", show
    )


def _epoch_s() -> int:
    """When the newest commit was made: the same commit gives the same package."""
    if stated := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(stated)
    git = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else int(time.time())


def _libraries(build: Build, scratch: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheels = scratch / "wheels"
    _run(*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
    (wheel,) = wheels.glob("aerostat-*.whl")
    tested = scratch / "tested.txt"
    tested.write_text("".join(f"{name}=={version}\n" for name, version in _installed()), "utf-8")
    machine = MACHINES.get(build.architecture, platform.machine())
    platforms = [f"--platform={library}_{machine}" for library in C_LIBRARIES]
    target = build.tree / "usr/lib/aerostat"
    _run(
        *pip, "install", "--no-compile", "--only-binary=:all:", f"--target={target}",
        f"--python-version={build.python}", "--implementation=cp", *platforms,
        f"--constraint={tested}", f"{wheel}[{EXTRAS}]",
    )  # fmt: skip
    shutil.rmtree(target / "bin", ignore_errors=True)  # scripts of libraries; ours is in /usr/bin
    for record in target.glob("*.dist-info/direct_url.json"):
        record.unlink()  # it names a folder of the machine that built this


def _installed() -> list[tuple[str, str]]:
    found = {(d.metadata["Name"], d.version) for d in metadata.distributions()}
    return sorted((name, version) for name, version in found if name and name != "aerostat")


def _files(build: Build) -> None:
    _put(build, TEMPLATES / "aerostat", "usr/bin/aerostat", mode=0o755)
    _put(build, ROOT / "etc/aerostat.toml", "etc/aerostat/aerostat.toml")
    (build.tree / "etc/aerostat/conf.d").mkdir()
    _put(build, ROOT / "etc/systemd/aerostat.service", "usr/lib/systemd/system/aerostat.service")
    _put(build, TEMPLATES / "lintian-overrides", "usr/share/lintian/overrides/aerostat")
    for example in ("prometheus/aerostat-rules.yml", "grafana/aerostat.json"):
        _put(build, ROOT / "etc" / example, f"usr/share/doc/aerostat/examples/{Path(example).name}")
    for page in sorted((ROOT / "docs").rglob("*.md")):
        _put(build, page, f"usr/share/doc/aerostat/{page.relative_to(ROOT / 'docs')}")


def _pages(build: Build) -> None:
    """Man page, completion, changelog and copyright, written by what is packaged."""
    manual = _said(sys.executable, "-m", "aerostat.cli.pages.man")
    _put_gzipped(build, manual, "usr/share/man/man1/aerostat.1.gz")
    for shell, path in SHELLS.items():
        script = _said(sys.executable, "-m", "aerostat", "completion", shell)
        _put_text(build, script, path)
    when = formatdate(build.epoch_s, usegmt=False)
    maintainer = "The Aerostat developers <aerostat@aerostat.invalid>"
    entry = f"aerostat ({build.version}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n"
    _put_gzipped(
        build, f"{entry} -- {maintainer}  {when}\n", "usr/share/doc/aerostat/changelog.Debian.gz"
    )
    _put_gzipped(
        build, (ROOT / "CHANGELOG.md").read_text("utf-8"), "usr/share/doc/aerostat/changelog.gz"
    )
    _put_text(build, _copyright(build), "usr/share/doc/aerostat/copyright")


def _copyright(build: Build) -> str:
    lines = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
        "Upstream-Name: aerostat",
        "",
        "Files: *",
        "Copyright: 2026 The Aerostat developers",
        "License: Apache-2.0",
        "",
    ]
    for found in sorted(
        metadata.distributions(path=[str(build.tree / "usr/lib/aerostat")]),
        key=lambda one: one.metadata["Name"].lower(),
    ):
        about = found.metadata
        if about["Name"] == "aerostat":
            continue
        said = about.get("License-Expression") or (about.get("License") or "").split("\n")[0]
        lines += [
            f"Files: usr/lib/aerostat/{about['Name'].lower().replace('-', '_')}*",
            f"Copyright: {(about.get('Author') or about.get('Author-email') or 'its authors')}",
            f"License: {said or 'see-its-dist-info'}",
            f"Comment: {about['Name']} {found.version}, unchanged; its licence is in its dist-info",
            "",
        ]
    lines += [
        "License: Apache-2.0",
        " On Debian systems: /usr/share/common-licenses/Apache-2.0",
        "",
    ]
    return "\n".join(lines)


def _control(build: Build) -> None:
    """What dpkg reads: who it is, what it needs, what to run, and sums of all files."""
    folder = build.tree / "DEBIAN"
    folder.mkdir()
    installed = [path for path in build.tree.rglob("*") if path.is_file()]
    major, minor = build.python.split(".")
    values = {
        "VERSION": build.version,
        "ARCHITECTURE": build.architecture,
        "SIZE": str(sum(-(-path.stat().st_size // 1024) for path in installed)),
        "PYTHON": build.python,
        "PYTHON_NEXT": f"{major}.{int(minor) + 1}",
    }
    text = (TEMPLATES / "control").read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    (folder / "control").write_text(text, "utf-8")
    shutil.copyfile(TEMPLATES / "conffiles", folder / "conffiles")
    for script in ("postinst", "prerm", "postrm"):
        shutil.copyfile(TEMPLATES / script, folder / script)
        (folder / script).chmod(0o755)
    sums = (
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}"
        f"  {path.relative_to(build.tree)}\n"
        for path in sorted(installed)
        if not path.is_relative_to(build.tree / "etc")
    )
    (folder / "md5sums").write_text("".join(sums), "utf-8")


def _pack(build: Build, package: Path) -> None:
    for path in [build.tree, *build.tree.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        elif path.parent.name != "DEBIAN" and not path.is_relative_to(build.tree / "usr/bin"):
            path.chmod(0o644)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(build.epoch_s)}
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(build.tree), str(package)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def _put(build: Build, source: Path, path: str, *, mode: int = 0o644) -> None:
    goal = build.tree / path
    goal.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, goal)
    goal.chmod(mode)


def _put_text(build: Build, text: str, path: str) -> None:
    goal = build.tree / path
    goal.parent.mkdir(parents=True, exist_ok=True)
    goal.write_text(text, "utf-8")


def _put_gzipped(build: Build, text: str, path: str) -> None:
    goal = build.tree / path
    goal.parent.mkdir(parents=True, exist_ok=True)
    goal.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _said(*command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env=environment)
    return done.stdout.strip("\n") + ("\n" if "\n" in done.stdout.strip("\n") else "")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
