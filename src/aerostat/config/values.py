"""How single values are read from TOML and written back, each with its unit.

Readers take whatever TOML held and raise ``ValueError`` with a sentence that names the value and
what would be right. Writers give text that the same reader reads as the same value.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from aerostat.model.host_state import LadderStep
from aerostat.model.limits import Amount
from aerostat.units import GIB, KIB, MIB, parse_duration, parse_size

EnumT = TypeVar("EnumT", bound=StrEnum)

_SIZE_BYTES_MAX = 2**60  # more than any machine has; keeps arithmetic far from overflow
_WEIGHT_MAX = 10_000
_SIZE_EXAMPLE = 'write a number and a unit in quotes, such as "512MiB" or "2GiB"'
_DURATION_EXAMPLE = 'write a number and a unit in quotes, such as "500ms", "10s" or "5m"'
_SHARE_EXAMPLE = 'write a percentage in quotes, such as "25%"'


def shown(value: object) -> str:
    """The value as it would stand in TOML, shortened where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _text(value: object, otherwise: str) -> str:
    if not isinstance(value, str):
        # pydantic collects ValueError; a TypeError would pass through it and end the run.
        raise ValueError(f"{shown(value)} {otherwise}")  # noqa: TRY004
    return value


def read_size(value: object) -> int:
    """Read a size in bytes, above zero."""
    text = _text(value, f"is not a size: {_SIZE_EXAMPLE}")
    if text.strip().endswith("%"):
        raise ValueError(f"{shown(text)} is a share, and this is a size: {_SIZE_EXAMPLE}")
    try:
        size_bytes = parse_size(text)
    except OverflowError:
        size_bytes = _SIZE_BYTES_MAX + 1
    if not 0 < size_bytes <= _SIZE_BYTES_MAX:
        raise ValueError(f"{shown(value)} is out of range: a size is above 0 and at most 1024TiB")
    return size_bytes


def read_share(value: object) -> float:
    """Read a percentage as a ratio, 0 to 1."""
    text = value.strip() if isinstance(value, str) else ""
    digits = text.removesuffix("%").strip()
    if digits == text or not digits.replace(".", "", 1).isdecimal() or not digits.isascii():
        raise ValueError(f"{shown(value)} is not a share: {_SHARE_EXAMPLE}")
    percent = float(digits)
    if percent > 100:
        raise ValueError(f"{shown(value)} is above 100%: {_SHARE_EXAMPLE}")
    return percent / 100


def read_amount(value: object) -> Amount:
    """Read a size or a percentage."""
    text = _text(value, f'is not a size: {_SIZE_EXAMPLE}, or a share, as "25%"')
    if text.strip().endswith("%"):
        return Amount(max_ratio=read_share(text))
    return Amount(size_bytes=read_size(text))


def read_guest_amount(value: object) -> Amount:
    """Read how much a guest may hold: a size or a percentage of its max, above zero."""
    amount = read_amount(value)
    if amount.max_ratio is not None and amount.max_ratio <= 0:
        raise ValueError(f'{shown(value)} leaves a guest nothing: write a share such as "25%"')
    return amount


def read_duration(value: object) -> float:
    """Read a duration in seconds."""
    return parse_duration(_text(value, f"is not a duration: {_DURATION_EXAMPLE}"))


def read_weight(value: object) -> int:
    """Read a share under contention: a whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _WEIGHT_MAX:
        raise ValueError(
            f"{shown(value)} is not a weight: write a whole number from 1 to {_WEIGHT_MAX}, "
            "such as 100 (the default) or 200 for twice the share"
        )
    return value


def read_truth(value: object) -> bool:
    """Read true or false."""
    if value is True or value is False:
        return value
    raise ValueError(f"{shown(value)} is not a truth value: write true or false, no quotes")


def read_glob(value: object) -> str:
    """Read a guest's name or a pattern of names."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'{shown(value)} is not a name: write a name or a glob, such as "db-*"')
    return value


def read_socket(value: object) -> str:
    """Read a path or a glob of paths; absolute, since a daemon has no directory of its own."""
    return "auto" if value == "auto" else read_api_socket_glob(value)


def read_api_socket_glob(value: object) -> str:
    """Read where API sockets are, from a file: an absolute path or glob."""
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(
            f"{shown(value)} is not an absolute path: "
            'write a path or a glob that starts with "/", such as "/run/vm/*.qmp"'
        )
    return value


def read_libvirt_uri(value: object) -> str:
    """Read the address of a libvirt on this host: a daemon balances the host it runs on."""
    local = ("qemu:///", "qemu+unix:///")
    if not isinstance(value, str) or not value.startswith(local):
        raise ValueError(
            f"{shown(value)} is not a libvirt with QEMU on this host: "
            'write "qemu:///system", or "qemu:///session"'
        )
    return value


def read_path(value: object) -> str:
    """Read the path of a file; absolute, since a daemon has no directory of its own."""
    if not isinstance(value, str) or not value.startswith("/") or value.endswith("/"):
        raise ValueError(
            f"{shown(value)} is not the absolute path of a file: "
            'write one that starts with "/", such as "/var/lib/aerostat/aerostat.db"'
        )
    return value


def read_mode_bits(value: object) -> int:
    """Read a file's permissions, as chmod takes them."""
    text = _text(value, 'is not a file mode: write it in quotes, such as "0660"')
    if len(text) not in {3, 4} or not set(text) <= set("01234567") or int(text, 8) > 0o777:
        raise ValueError(f'{shown(text)} is not a file mode: write for example "0660"')
    return int(text, 8)


def read_address(value: object) -> str:
    """Read an address and a port to listen on."""
    text = _text(value, 'is not an address: write one and a port, such as "127.0.0.1:9730"')
    host, colon, port = text.rpartition(":")
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        colon = ""
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(
            f"{shown(text)} is not an address and a port: write for example "
            '"127.0.0.1:9730", or "[::1]:9730"'
        )
    return text


def read_group(value: object) -> str:
    """Read the name of a group of users."""
    text = _text(value, 'is not a group: write its name in quotes, such as "adm"')
    if not text.strip():
        raise ValueError(f'{shown(text)} is not a group: write its name, such as "adm"')
    return text


def choice(options: Iterable[EnumT]) -> Callable[[object], EnumT]:
    """A reader of one word out of a few."""
    known = tuple(options)

    def read(value: object) -> EnumT:
        for option in known:
            if value == option.value:
                return option
        words = ", ".join(f'"{option.value}"' for option in known)
        raise ValueError(f"{shown(value)} is not one of {words}")

    return read


def steps_of(options: Sequence[LadderStep]) -> Callable[[object], tuple[LadderStep, ...]]:
    """A reader of a list of the ladder's steps, which come back in the ladder's own order."""

    def read(value: object) -> tuple[LadderStep, ...]:
        words = ", ".join(f'"{option.value}"' for option in options)
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{shown(value)} is not a list: write some of [{words}]")  # noqa: TRY004 # as in _text
        known = {option.value: option for option in options}
        for word in value:
            if not isinstance(word, str) or word not in known:
                raise ValueError(f"{shown(word)} is not one of {words}")
        return tuple(step for step in LadderStep if step.value in value)

    return read


def write_size(size_bytes: int) -> str:
    """Write bytes in the largest unit that says them exactly."""
    for unit, factor in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if size_bytes % factor == 0:
            return f"{size_bytes // factor}{unit}"
    return f"{size_bytes}B"


def write_mode_bits(bits: int) -> str:
    """Write a file's permissions as chmod takes them."""
    return f"{bits:04o}"


def write_share(ratio: float) -> str:
    """Write a ratio as a percentage."""
    return f"{round(ratio * 100, 10):.10f}".rstrip("0").rstrip(".") + "%"


def write_amount(amount: Amount) -> str:
    """Write a size or a percentage."""
    if amount.size_bytes is not None:
        return write_size(amount.size_bytes)
    assert amount.max_ratio is not None
    return write_share(amount.max_ratio)


def write_duration(duration_s: float) -> str:
    """Write seconds in the largest unit that says them as a whole number."""
    duration_ms = round(duration_s * 1000)
    for unit, factor_ms in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if duration_ms >= factor_ms and duration_ms % factor_ms == 0:
            return f"{duration_ms // factor_ms}{unit}"
    return f"{duration_ms}ms"


def within(least: str, most: str) -> AfterValidator:
    """Bounds on a duration, inclusive, as they would be written."""
    least_s, most_s = parse_duration(least), parse_duration(most)

    def check(duration_s: float) -> float:
        if not least_s <= duration_s <= most_s:
            raise ValueError(
                f'"{write_duration(duration_s)}" is out of range: '
                f'write a duration from "{least}" to "{most}"'
            )
        return duration_s

    return AfterValidator(check)


def at_least(least: str) -> AfterValidator:
    """A lower bound on a size, inclusive, as it would be written."""
    least_bytes = parse_size(least)

    def check(size_bytes: int) -> int:
        if size_bytes < least_bytes:
            raise ValueError(f'"{write_size(size_bytes)}" is too little: write at least "{least}"')
        return size_bytes

    return AfterValidator(check)


SizeBytes = Annotated[int, BeforeValidator(read_size), PlainSerializer(write_size)]
ShareRatio = Annotated[float, BeforeValidator(read_share), PlainSerializer(write_share)]
HostAmount = Annotated[Amount, BeforeValidator(read_amount), PlainSerializer(write_amount)]
GuestAmount = Annotated[Amount, BeforeValidator(read_guest_amount), PlainSerializer(write_amount)]
DurationS = Annotated[float, BeforeValidator(read_duration), PlainSerializer(write_duration)]
Weight = Annotated[int, BeforeValidator(read_weight)]
Truth = Annotated[bool, BeforeValidator(read_truth)]
Glob = Annotated[str, BeforeValidator(read_glob)]
ApiSocketGlob = Annotated[str, BeforeValidator(read_api_socket_glob)]
SocketGlob = Annotated[str, BeforeValidator(read_socket)]
FileMode = Annotated[
    int,
    BeforeValidator(read_mode_bits),
    PlainSerializer(write_mode_bits),
]
Address = Annotated[str, BeforeValidator(read_address)]
Group = Annotated[str, BeforeValidator(read_group)]
LibvirtUri = Annotated[str, BeforeValidator(read_libvirt_uri)]
FilePath = Annotated[str, BeforeValidator(read_path)]
