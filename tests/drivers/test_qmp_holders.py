"""Whose monitor a socket is: those that somebody needs are never connected."""

import asyncio
import socket
from pathlib import Path

import pytest

from aerostat.drivers.qmp import QmpDriver
from aerostat.drivers.qmp.holders import holder_of, is_visited, preferred
from aerostat.drivers.sockets.discovery import AUTO, SocketFinder
from aerostat.model.guest import GuestId, RunState
from aerostat.model.limits import DeclaredLimits
from aerostat.ports.custody import Custody, Lock
from aerostat.ports.errors import DriverRefusedError
from aerostat.units import MIB
from qemu_process import Fleet, SystemClock


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/var/lib/libvirt/qemu/domain-3-web/monitor.sock", "--libvirt"),
        ("/root/.config/libvirt/qemu/lib/domain-1-a/monitor.sock", "--libvirt"),
        ("/run/incus/web/qemu.monitor", "raw.qemu"),
    ],
)
def test_monitors_that_are_needed_are_told_by_their_paths(path: str, word: str) -> None:
    words = holder_of(Path(path))
    assert words is not None
    assert word in words


@pytest.mark.parametrize("path", ["/run/vm/101.qmp", "/run/qemu-server/101.vnc", "/tmp/mon.sock"])
def test_others_are_nobodys(path: str) -> None:
    assert holder_of(Path(path)) is None


@pytest.mark.parametrize("path", ["/var/run/qemu-server/101.qmp", "/run/qemu-server/101.qmp"])
def test_a_monitor_of_proxmox_is_visited(path: str) -> None:
    assert holder_of(Path(path)) is None
    assert is_visited(Path(path))
    assert not is_visited(Path("/run/vm/101.qmp"))


def test_where_a_vm_has_a_monitor_for_us_proxmox_s_is_not_used() -> None:
    proxmox, own = Path("/run/qemu-server/101.qmp"), Path("/run/vm/101.qmp")
    assert preferred((proxmox, own)) == (own,)
    assert preferred((proxmox,)) == (proxmox,)


def test_a_monitor_of_libvirt_is_not_even_knocked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "libvirt/qemu/domain-1-a/monitor.sock"
    path.parent.mkdir(parents=True)

    async def main() -> None:
        driver = QmpDriver([str(path)], clock=SystemClock())
        await driver.open(lambda _: None)
        (guest,) = await driver.list_guests()
        read = await driver.read_guest(guest)
        assert read.run_state is RunState.UNREACHABLE
        assert "libvirt holds this monitor" in (read.trouble or "")
        await driver.close()

    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(path.parent)  # a socket's address has 107 characters at most
        listener.bind(path.name)
        listener.listen(1)
        listener.settimeout(0.1)
        asyncio.run(main())
        with pytest.raises(TimeoutError):
            listener.accept()


def test_auto_is_what_processes_listen_at(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "a"))
        finder = SocketFinder([AUTO], listening=lambda: (tmp_path / "a", tmp_path / "gone"))
        assert finder.find() == (tmp_path / "a",)
    assert SocketFinder([AUTO]).find() == ()


def test_a_vm_that_somebody_else_balances_is_read_and_never_moved(fleet: Fleet) -> None:
    custody = [Custody(rival="Proxmox balances it", number="101", tags=("prod",))]

    async def main() -> None:
        fleet.start("web")
        driver = QmpDriver([fleet.glob], clock=SystemClock(), custody_of=lambda _pid: custody[0])
        await driver.open(lambda _: None)
        guest = GuestId("web")
        read = await driver.read_guest(guest)
        assert read.declared == DeclaredLimits(is_managed=False)
        assert read.number == "101"
        assert read.tags == ("prod",)
        assert "Proxmox balances it" in (read.trouble or "")
        with pytest.raises(DriverRefusedError, match="Proxmox balances it"):
            await driver.set_target(guest, target_bytes=100 * MIB)
        custody[0] = Custody(lock=Lock.TRANSIT)
        moving = await driver.read_guest(guest)
        assert (moving.run_state, moving.tags) == (RunState.MIGRATING, None)
        custody[0] = Custody(lock=Lock.BACKUP)
        assert (await driver.read_guest(guest)).is_backing_up
        await driver.close()

    asyncio.run(main())
