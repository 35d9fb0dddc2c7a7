"""VMs of Proxmox: whether it balances them itself, and what it has locked them for."""

from pathlib import Path

import pytest

from aerostat.host.proxmox import ProxmoxCustody, custody_of
from aerostat.ports.custody import Custody, Lock

CONFIG = "name: web\nmemory: 4096\n{}\n\n[before-upgrade]\nballoon: 1024\nlock: migrate\n"


@pytest.mark.parametrize(
    "settings",
    ["", "balloon: 0", "balloon: 4096", "balloon: 1024\nshares: 0", "#balloon: 1024"],
)
def test_a_vm_that_proxmox_does_not_balance_is_ours(settings: str) -> None:
    assert custody_of("101", CONFIG.format(settings)) == Custody(number="101")


@pytest.mark.parametrize("settings", ["balloon: 1024", "balloon: 1024\nshares: 2000"])
def test_a_vm_that_proxmox_balances_is_left_to_it_and_how_to_hand_over_is_said(
    settings: str,
) -> None:
    custody = custody_of("101", CONFIG.format(settings))
    assert "Proxmox balances it" in (custody.rival or "")
    assert custody.handover == "qm set 101 --shares 0"
    assert "qm set 101 --shares 0" in (custody.why_left_alone or "")


@pytest.mark.parametrize(
    ("lock", "expected"),
    [("backup", Lock.BACKUP), ("migrate", Lock.TRANSIT), ("snapshot", Lock.TRANSIT),
     ("clone", Lock.NONE)],
)  # fmt: skip
def test_locks(lock: str, expected: Lock) -> None:
    assert custody_of("101", CONFIG.format(f"lock: {lock}")).lock is expected


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("tags: prod;db", ("prod", "db")),
        ("tags: prod, db;", ("prod", "db")),
        ("tags:", ()),
        ("name: x", ()),
        ("[snapshot]\ntags: old", ()),
    ],
)
def test_tags(line: str, tags: tuple[str, ...]) -> None:
    assert custody_of("101", f"memory: 2048\n{line}\n").tags == tags


def test_a_vm_is_known_by_the_number_on_its_command_line(tmp_path: Path) -> None:
    for pid, arguments in ((1, ("kvm", "-id", "101")), (2, ("qemu-system-x86_64", "-m", "1"))):
        (tmp_path / f"proc/{pid}").mkdir(parents=True)
        (tmp_path / f"proc/{pid}/cmdline").write_text("\0".join(arguments) + "\0")
    (tmp_path / "etc/pve/qemu-server").mkdir(parents=True)
    (tmp_path / "etc/pve/qemu-server/101.conf").write_text(CONFIG.format("balloon: 1024"))
    custody = ProxmoxCustody(tmp_path)
    found = custody.read(1)
    assert found is not None
    assert found.rival is not None
    assert custody.read(2) is None
    assert custody.read(3) is None


def test_a_vm_whose_settings_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    """Its `-id` says that it is Proxmox's; whether it is balanced there nobody can tell."""
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/cmdline").write_text("kvm\0-id\x00101\0")
    found = ProxmoxCustody(tmp_path).read(7)
    assert found is not None
    assert found.number == "101"
    assert "101.conf" in (found.why_left_alone or "")
