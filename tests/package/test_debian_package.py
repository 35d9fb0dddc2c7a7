"""The Debian package: built, installed, started, upgraded, removed, purged; on its own system."""

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from package.disposable_root import CannotBeMadeError, DisposableRoot, disposable_root
from package.installed import UNIT, asked_until, install, started
from qemu_process import Fleet, fleet_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
CONFFILE = "/etc/aerostat/aerostat.toml"
STARTS_ITSELF = """
import subprocess, sys
sys.path.insert(0, "/usr/lib/aerostat")
from aerostat.lab.itself import itself
subprocess.run(itself("--version"), check=True)
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed (Debian: qemu-system-x86)")
    (tmp_path / "vm").mkdir()
    with fleet_in(tmp_path / "vm") as started:
        yield started


@pytest.fixture
def system(tmp_path: Path, fleet: Fleet) -> Iterator[DisposableRoot]:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("the system has no Python of its own (Debian: python3)")
    try:
        with disposable_root(tmp_path, fleet.directory) as made:
            yield made
    except CannotBeMadeError as error:
        pytest.skip(f"no system of its own to install on: {error}")


def test_it_is_what_it_says(package: Path, tmp_path: Path) -> None:
    """Sums, completions, man page; and nothing of the machine that built it."""
    tree = unpacked(package, tmp_path)
    control = (tree / "DEBIAN/control").read_text("utf-8")
    assert "@" not in control.replace("aerostat@aerostat.invalid", "")
    subprocess.run(["md5sum", "--quiet", "--check", "DEBIAN/md5sums"], cwd=tree, check=True)
    for name in ("bash-completion/completions/aerostat", "zsh/vendor-completions/_aerostat"):
        assert "_AEROSTAT_COMPLETE" in (tree / "usr/share" / name).read_text("utf-8")
    manual = gzip.decompress((tree / "usr/share/man/man1/aerostat.1.gz").read_bytes()).decode()
    assert "explain" in manual
    assert (tree / "etc/aerostat/aerostat.toml").read_bytes() == (
        ROOT / "etc/aerostat.toml"
    ).read_bytes()
    named = [
        path
        for path in tree.rglob("*")
        if path.is_file() and str(ROOT).encode() in path.read_bytes()
    ]
    assert named == []


def test_lintian_has_nothing_to_say(package: Path) -> None:
    if shutil.which("lintian") is None:
        pytest.skip("lintian is not installed")
    command = ["lintian", "--allow-root", "--fail-on", "error,warning", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_life(package: Path, system: DisposableRoot, fleet: Fleet, tmp_path: Path) -> None:
    fleet.start("db")
    install(system, package)
    assert system.run("aerostat", "--version").stdout.startswith("aerostat ")
    system.run("aerostat", "config", "check", CONFFILE)
    # The lab starts daemons to measure them: they are this one.
    again = system.run("/usr/bin/python3", "-I", "-c", STARTS_ITSELF)
    assert again.stdout == system.run("aerostat", "--version").stdout
    doctor = system.run("aerostat", "doctor", is_checked=False)
    assert doctor.returncode in {0, 1}, doctor.stdout
    assert "db" in doctor.stdout
    assert (
        system.run("systemd-analyze", "verify", "--man=no", UNIT, is_checked=False).returncode == 0
    )
    enabled = system.path("/etc/systemd/system/multi-user.target.wants/aerostat.service")
    assert enabled.is_symlink()

    with started(system, tmp_path / "first.log") as daemon:
        state = asked_until(system, lambda s: [g["name"] for g in s["guests"]] == ["db"])
        assert state["mode"] == "observe"
        assert daemon.stop() == 0

    edited = 'mode = "enforce"\n[qmp]\nsockets = ["/run/vm/*.qmp"]\n'
    system.path(CONFFILE).write_text(edited, "utf-8")
    remembered = system.path("/var/lib/aerostat/aerostat.db")
    assert remembered.exists()

    install(system, next_edition(package, tmp_path / "next"))
    assert "0.1.0-9" in system.run("dpkg-query", "--show", "aerostat").stdout
    assert system.path(CONFFILE).read_text("utf-8") == edited
    with started(system, tmp_path / "second.log") as daemon:
        state = asked_until(system, lambda s: len(s["guests"]) == 1)
        assert state["mode"] == "enforce"
        assert "max back" in system.run("dpkg", "--remove", "aerostat").stdout
        assert daemon.has_said("operator_command")
        assert daemon.stop() == 0

    assert not system.path("/usr/lib/aerostat").exists()
    assert not system.path("/usr/bin/aerostat").exists()
    assert remembered.exists()
    assert system.path(CONFFILE).exists()
    system.run("dpkg", "--purge", "aerostat")
    for left in ("/etc/aerostat", "/var/lib/aerostat", "/usr/share/doc/aerostat"):
        assert not system.path(left).exists(), left
    assert not enabled.is_symlink()


def next_edition(package: Path, folder: Path) -> Path:
    """The same, newer, with another configuration file: what an administrator wrote must stand."""
    tree = unpacked(package, folder)
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text("utf-8").replace("0.1.0-1\n", "0.1.0-9\n"), "utf-8")
    conffile = tree / "etc/aerostat/aerostat.toml"
    conffile.write_text(conffile.read_text("utf-8") + "# new\n", "utf-8")
    goal = folder / "aerostat_next.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(tree), str(goal)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return goal


def unpacked(package: Path, folder: Path) -> Path:
    tree = folder / "tree"
    tree.parent.mkdir(exist_ok=True)
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(tree)], check=True)
    return tree
