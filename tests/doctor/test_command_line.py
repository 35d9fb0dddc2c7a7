"""QEMU's command lines as people, libvirt and Proxmox write them."""

import pytest

from aerostat.host.qemu_command_line import (
    Device,
    devices,
    flag_of,
    has_host_device,
    is_qemu,
    monitor_paths,
    value_of,
)

PLAIN = ("/usr/bin/qemu-system-x86_64", "-name", "web,process=qemu-web", "-m", "512")
LIBVIRT_DEVICE = '{"driver":"virtio-balloon-pci","id":"balloon0","free-page-reporting":true}'
PROXMOX = (
    "/usr/bin/kvm", "-id", "100", "-name", "db,debug-threads=on",
    "-chardev", "socket,id=qmp,path=/var/run/qemu-server/100.qmp,server=on,wait=off",
    "-mon", "chardev=qmp,mode=control",
    "-chardev", "socket,id=qmp-event,path=/var/run/qmeventd.sock,reconnect=5",
    "-mon", "chardev=qmp-event,mode=control",
)  # fmt: skip


@pytest.mark.parametrize("name", ["/usr/bin/qemu-system-x86_64", "qemu-kvm", "/usr/libexec/kvm"])
def test_a_qemu_is_known_by_its_name(name: str) -> None:
    assert is_qemu((name, "-m", "1"))


@pytest.mark.parametrize("arguments", [(), ("",), ("qemu-img", "info"), ("vim", "qemu-system-x")])
def test_other_processes_are_not_qemu(arguments: tuple[str, ...]) -> None:
    assert not is_qemu(arguments)


def test_devices_come_as_words_or_as_json() -> None:
    arguments = (*PLAIN, "-device", "virtio-balloon-pci,id=b,deflate-on-oom=on")
    (plain,) = devices(arguments)
    assert plain == Device(
        driver="virtio-balloon-pci",
        properties={"id": "b", "deflate-on-oom": "on"},
    )
    (other,) = devices((*PLAIN, "-device", LIBVIRT_DEVICE))
    assert other.driver == "virtio-balloon-pci"
    assert other.properties["free-page-reporting"] == "on"


def test_json_that_is_none_is_no_device_of_any_kind() -> None:
    (broken,) = devices((*PLAIN, "-device", "{broken"))
    assert broken.driver == ""


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        (("-qmp", "unix:/run/vm/a.qmp,server=on,wait=off"), ("/run/vm/a.qmp",)),
        (("-qmp", "unix:/run/vm/a.qmp,server,nowait"), ("/run/vm/a.qmp",)),
        (("--qmp", "unix:a,,b.qmp,server=on"), ("a,b.qmp",)),
        (("-qmp", "tcp:127.0.0.1:4444,server=on"), ()),
        (("-qmp", "stdio"), ()),
        (("-qmp",), ()),
        (PROXMOX, ("/var/run/qemu-server/100.qmp",)),
        (
            (
                "-chardev", "socket,id=m,path=/x,server=on", "-mon", "m,mode=control",
                "-chardev", "socket,id=h,path=/hmp,server=on", "-mon", "chardev=h,mode=readline",
            ),
            ("/x",),
        ),
    ],
)  # fmt: skip
def test_where_a_monitor_listens(options: tuple[str, ...], paths: tuple[str, ...]) -> None:
    assert monitor_paths((*PLAIN, *options)) == paths


def test_values_and_flags() -> None:
    arguments = (*PLAIN, "-machine", "q35,accel=kvm", "-overcommit", "mem-lock=on")
    assert value_of(arguments, "-m") == "512"
    assert value_of(arguments, "-smp") is None
    assert flag_of(arguments, "-overcommit", "mem-lock") == "on"
    assert flag_of(arguments, "-machine", "accel") == "kvm"
    assert flag_of(arguments, "-machine", "dump-guest-core") is None


@pytest.mark.parametrize(
    "options",
    [
        ("-device", "vfio-pci,host=0000:01:00.0"),
        ("-device", '{"driver":"vfio-pci","host":"0000:01:00.0"}'),
        ("-netdev", "vhost-vdpa,id=n,vhostdev=/dev/vhost-vdpa-0"),
        ("-netdev", '{"type":"vhost-vdpa","id":"n","vhostdev":"/dev/vhost-vdpa-0"}'),
        ("-blockdev", "driver=nvme,node-name=d,device=0000:01:00.0,namespace=1"),
        ("-blockdev", '{"driver":"nvme","node-name":"d","device":"0000:01:00.0","namespace":1}'),
        ("-drive", "file.driver=nvme,file.device=0000:01:00.0,file.namespace=1,if=none"),
    ],
)
def test_what_reads_and_writes_a_guests_memory_by_itself(options: tuple[str, str]) -> None:
    assert has_host_device((*PLAIN, *options))


@pytest.mark.parametrize(
    "options",
    [
        ("-netdev", "tap,id=n,vhost=on"),
        ("-blockdev", "driver=file,node-name=d,filename=/x"),
        ("-device", "nvme,drive=d,serial=1"),  # one that QEMU itself plays
    ],
)
def test_what_does_not(options: tuple[str, str]) -> None:
    assert not has_host_device((*PLAIN, *options))
