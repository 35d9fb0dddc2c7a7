"""Reads a QEMU's command line: its devices, and where its monitor listens.

Devices come as ``-device DRIVER,key=value`` or as a JSON object, which is what libvirt writes.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One ``-device``, with its properties as text."""

    driver: str
    properties: Mapping[str, str]


def is_qemu(arguments: Sequence[str]) -> bool:
    """Whether this command line is that of a QEMU that runs a whole machine."""
    name = Path(arguments[0]).name if arguments else ""
    return name.startswith("qemu-system-") or name in ("kvm", "qemu-kvm")


def devices(arguments: Sequence[str]) -> tuple[Device, ...]:
    """All devices that were given."""
    return tuple(Device(driver=name, properties=p) for name, p in _options(arguments, "-device"))


def has_host_device(arguments: Sequence[str]) -> bool:
    """Whether a device of the host reads and writes the guest's memory by itself.

    QEMU ignores its balloon then: passed-through devices, NVMe disks driven from here, and vDPA.
    """
    if any(d.driver.startswith(("vfio-", "vhost-vdpa-")) for d in devices(arguments)):
        return True
    netdevs = (p.get("type", name) for name, p in _options(arguments, "-netdev"))
    drives = (p for _, p in (*_options(arguments, "-blockdev"), *_options(arguments, "-drive")))
    backends = {p.get(key) for p in drives for key in ("driver", "file.driver")}
    return "vhost-vdpa" in netdevs or bool(backends & {"nvme", "virtio-blk-vhost-vdpa"})


def monitor_paths(arguments: Sequence[str]) -> tuple[str, ...]:
    """Paths of sockets at which a QMP monitor listens, as they were given."""
    found = []
    for name, properties in _options(arguments, "-qmp"):
        kind, _, path = name.partition(":")
        if kind == "unix" and properties.get("server", "on") != "off":
            found.append(path)
    sockets = {
        properties["id"]: properties["path"]
        for name, properties in _options(arguments, "-chardev")
        if name == "socket" and {"id", "path"} <= properties.keys() and _listens(properties)
    }
    for name, properties in _options(arguments, "-mon"):
        chardev = properties.get("chardev", name)
        if properties.get("mode") == "control" and chardev in sockets:
            found.append(sockets[chardev])
    return tuple(dict.fromkeys(found))


def value_of(arguments: Sequence[str], option: str) -> str | None:
    """What stands behind the last occurrence of an option."""
    values = [after for name, after in _pairs(arguments) if name == option]
    return values[-1] if values else None


def flag_of(arguments: Sequence[str], option: str, key: str) -> str | None:
    """The value of ``key`` among the properties of an option, wherever it stands."""
    for name, properties in _options(arguments, option):
        head, _, value = name.partition("=")
        if head == key and value:
            return value
        if key in properties:
            return properties[key]
    return None


def _listens(properties: Mapping[str, str]) -> bool:
    return properties.get("server", "off") in ("", "on", "yes", "true")


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    for option, value in itertools.pairwise(arguments):
        if option.startswith("-"):
            yield option.replace("--", "-", 1) if option.startswith("--") else option, value


def _options(arguments: Sequence[str], option: str) -> Iterator[tuple[str, dict[str, str]]]:
    for name, value in _pairs(arguments):
        if name == option:
            yield _parse(value)


def _parse(value: str) -> tuple[str, dict[str, str]]:
    """The head and the properties of an option's value; a doubled comma stands for one."""
    if value.startswith("{"):
        return _parse_json(value)
    words = [word.replace("\0", ",") for word in value.replace(",,", "\0").split(",")]
    properties = {}
    for word in words[1:]:
        key, _, text = word.partition("=")
        properties[key] = text
    key, is_pair, text = words[0].partition("=")
    if is_pair:
        properties[key] = text
    return words[0], properties


def _parse_json(value: str) -> tuple[str, dict[str, str]]:
    try:
        parsed = json.loads(value)
    except ValueError:
        return "", {}
    properties = {str(key): _as_text(item) for key, item in parsed.items()}
    return properties.get("driver", properties.get("qom-type", "")), properties


def _as_text(item: object) -> str:
    if isinstance(item, bool):
        return "on" if item else "off"
    return str(item)
