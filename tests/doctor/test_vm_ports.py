"""Whose port is open, and whether whoever opened it would be heard."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from aerostat.doctor.vm_ports import OWN_AGENT, QEMU_AGENT, port_of, ports_of_domain

MONITOR = Path("/run/vm/web.qmp")


def chardev(filename: str, *, is_open: bool = True) -> list[dict[str, object]]:
    other = {"label": "mon", "filename": "unix:/run/vm/web.qmp", "frontend-open": True}
    return [other, {"label": "agent", "filename": filename, "frontend-open": is_open}]


@pytest.mark.parametrize(
    "filename",
    [
        "disconnected:unix:/run/vm/web.agent,server=on",
        "unix:/run/vm/web.agent,server=on",
        "disconnected:unix:/run/vm/web.agent,server",
        "disconnected:unix:web.agent,server=on",  # started with a path without a root
    ],
)
def test_a_socket_beside_the_monitor_is_heard(filename: str) -> None:
    port = port_of(chardev(filename), "agent", monitor=MONITOR)
    assert port.is_open
    assert port.why_unheard is None


def test_a_port_that_nobody_opened_is_told() -> None:
    chardevs = chardev("disconnected:unix:/run/vm/web.agent,server=on", is_open=False)
    assert not port_of(chardevs, "agent", monitor=MONITOR).is_open


@pytest.mark.parametrize(
    ("filename", "why"),
    [
        ("disconnected:unix:/run/vm/other.agent,server=on", "looks for /run/vm/web.agent"),
        ("disconnected:unix:/tmp/web.agent,server=on", "looks for /run/vm/web.agent"),
        ("pty:/dev/pts/3", "no socket"),
    ],
)
def test_a_socket_elsewhere_is_named(filename: str, why: str) -> None:
    port = port_of(chardev(filename), "agent", monitor=MONITOR)
    assert why in (port.why_unheard or "")


def test_any_place_will_do_for_an_agent_that_somebody_else_hears() -> None:
    port = port_of(chardev("unix:/anywhere,server=on"), "agent")
    assert port.is_open
    assert port.why_unheard is None


def test_a_port_without_a_chardev_is_heard_by_nobody() -> None:
    port = port_of(chardev("null"), "", monitor=MONITOR)
    assert not port.is_open
    assert port.why_unheard is not None


def test_a_domains_channels_are_ports() -> None:
    domain = ET.fromstring(
        "<domain><devices>"
        "<channel type='unix'><source mode='bind' path='/x'/>"
        f"<target type='virtio' name='{OWN_AGENT}' state='connected'/></channel>"
        f"<channel type='unix'><target type='virtio' name='{QEMU_AGENT}'/></channel>"
        "<channel type='spicevmc'/>"
        "</devices></domain>"
    )
    ports = ports_of_domain(domain)
    assert set(ports) == {OWN_AGENT, QEMU_AGENT}
    assert ports[OWN_AGENT].is_open
    assert ports[OWN_AGENT].socket == Path("/x")
    assert ports[OWN_AGENT].why_unheard is None
    assert not ports[QEMU_AGENT].is_open


def test_a_channel_that_connects_to_somebody_is_not_heard() -> None:
    domain = ET.fromstring(
        "<domain><devices><channel type='unix'><source mode='connect' path='/x'/>"
        f"<target type='virtio' name='{OWN_AGENT}'/></channel></devices></domain>"
    )
    assert ports_of_domain(domain)[OWN_AGENT].why_unheard is not None
