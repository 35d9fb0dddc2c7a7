"""Reads a domain's XML: its balloon, its agent, and what is declared in its metadata."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from aerostat.drivers.libvirt.binding import METADATA_URI
from aerostat.model.limits import Amount, DeclaredLimits
from aerostat.units import parse_size

_AGENT = "org.qemu.guest_agent.0"
_OWN_AGENT = "org.aerostat.agent.0"
_KEYS = ("min", "max", "weight", "managed", "tags")
_WEIGHT_MAX = 10_000


class DescriptionError(Exception):
    """The XML is not that of a domain, or its metadata declares something that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What stays the same until a domain is changed."""

    has_balloon: bool
    deflates_on_oom: bool
    period_s: int  # how often its guest reports; 0: never
    has_agent: bool  # QEMU's guest agent; it is connected now
    agent_socket: Path | None  # where QEMU listens for who hears Aerostat's own agent
    declared: DeclaredLimits | None
    tags: tuple[str, ...]  # by which rules of the configuration may name it
    trouble: str | None  # what is wrong in its metadata


def parse_description(xml: str) -> Description:
    """Read the XML of a running domain.

    Metadata that cannot be read means that the domain is left alone, and is told.

    Raises:
        DescriptionError: it is not XML.
    """
    try:
        domain = ET.fromstring(xml)  # noqa: S314 # from libvirtd, which wrote it; no entities
    except ET.ParseError as error:
        raise DescriptionError(f"libvirt's description of it is not XML: {error}") from error
    balloon = domain.find("./devices/memballoon")
    has_balloon = balloon is not None and balloon.get("model", "none").startswith("virtio")
    period = domain.find("./devices/memballoon/stats")
    trouble = None
    try:
        declared = _declared(domain)
    except DescriptionError as error:
        declared, trouble = DeclaredLimits(is_managed=False), str(error)
    return Description(
        has_balloon=has_balloon,
        deflates_on_oom=balloon is not None and balloon.get("autodeflate") == "on",
        period_s=_whole(period.get("period", "0")) if period is not None else 0,
        has_agent=any(
            target.get("name") == _AGENT and target.get("state") == "connected"
            for target in domain.findall("./devices/channel/target")
        ),
        agent_socket=_agent_socket(domain),
        declared=declared,
        tags=_tags(domain),
        trouble=trouble,
    )


def _agent_socket(domain: ET.Element) -> Path | None:
    for channel in domain.findall("./devices/channel[@type='unix']"):
        target, source = channel.find("target"), channel.find("source")
        if target is None or source is None or target.get("name") != _OWN_AGENT:
            continue
        path = source.get("path")
        # In the other mode QEMU connects to somebody who listens, and we do not.
        if path and source.get("mode") == "bind":
            return Path(path)
    return None


def _metadata(domain: ET.Element) -> ET.Element | None:
    return domain.find(f"./metadata/{{{METADATA_URI}}}vm")


def _tags(domain: ET.Element) -> tuple[str, ...]:
    element = _metadata(domain)
    return () if element is None else tuple(element.get("tags", "").replace(",", " ").split())


def _declared(domain: ET.Element) -> DeclaredLimits | None:
    element = _metadata(domain)
    if element is None:
        return None
    for key in element.attrib:
        if key not in _KEYS:
            raise _wrong(f"{key} is unknown; known are {', '.join(_KEYS)}")
    given = [element.get(key) for key in _KEYS if key != "tags"]
    minimum, maximum, weight, managed = given
    if not any(text is not None for text in given):
        return None
    return DeclaredLimits(
        minimum=None if minimum is None else _amount("min", minimum),
        maximum=None if maximum is None else _amount("max", maximum),
        weight=None if weight is None else _weight(weight),
        is_managed=None if managed is None else _truth(managed),
    )


def _amount(key: str, text: str) -> Amount:
    try:
        if text.endswith("%"):
            ratio = float(text.removesuffix("%")) / 100
            if not 0 < ratio <= 1:
                raise _wrong(f'{key}="{text}" is out of range: write a share as "25%"')
            return Amount(max_ratio=ratio)
        size_bytes = parse_size(text)
    except ValueError as error:
        raise _wrong(f'{key}="{text}" is not a size: write "512MiB", or "25%"') from error
    if size_bytes <= 0:
        raise _wrong(f'{key}="{text}" leaves the guest nothing: write a size above 0')
    return Amount(size_bytes=size_bytes)


def _weight(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _WEIGHT_MAX:
        raise _wrong(f'weight="{text}" is not a whole number from 1 to {_WEIGHT_MAX}')
    return int(text)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise _wrong(f'managed="{text}" is neither "true" nor "false"')
    return text == "true"


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _wrong(words: str) -> DescriptionError:
    return DescriptionError(f"its metadata ({METADATA_URI}): {words}; until then it is left alone")
