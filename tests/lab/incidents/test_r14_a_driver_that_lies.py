"""R14: a guest's balloon is full by its own account, and the host has got nothing back.

As in scenarios/r14-a-driver-that-lies.toml. A guest that goes on using what its balloon took cannot
be had from an honest kernel; one whose memory is locked on the host looks just the same from there:
``actual`` falls, and what the host holds for the VM does not. That its figures lie as well is left
to the scenario.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from aerostat.engine.params import EngineParams, GuardRule
from aerostat.lab.image import GuestImage
from aerostat.units import MIB
from lab.guests_in_thread import Guests, booted_guests
from lab.incidents.balancer import Balancer, balancing
from lab.incidents.settings import RAM_BYTES, REAL, SMALL_BYTES, ours, spec

pytestmark = REAL

LIAR_BYTES = 2 * RAM_BYTES
LEFT_BYTES = {"honest": 140 * MIB, "liar": 360 * MIB}
HOT_BYTES = 150 * MIB
BUDGET_BYTES = LIAR_BYTES + 190 * MIB


@pytest.fixture(scope="module")
def pair(image: GuestImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    """An honest guest, and one whose memory is locked."""
    liar = replace(spec("liar", extra_args=("-overcommit", "mem-lock=on")), ram_bytes=LIAR_BYTES)
    run_dir = tmp_path_factory.mktemp("pair")
    with booted_guests([spec("honest"), liar], image, run_dir) as booted:
        if booted.held_bytes("liar") is None:
            pytest.skip("without memory cgroups the host's own measure of a VM comes too late")
        yield booted


def grow(pair: Guests, params: EngineParams) -> Balancer:
    """The honest one needs what the liar says it has given; returns what was done about it."""
    pair.rest(SMALL_BYTES)
    for name, size_bytes in LEFT_BYTES.items():
        pair.execute(name, "balloon", value=size_bytes)
    pair.until(
        lambda: all(pair.actual_bytes(name) == size for name, size in LEFT_BYTES.items()),
        "both say they have given",
    )
    held_bytes = pair.held_bytes("liar")
    assert held_bytes is not None
    assert held_bytes > LIAR_BYTES, "its memory came back"
    pair.order("honest", "rate 2000")
    pair.order("honest", f"hot {HOT_BYTES}")
    with balancing([pair.socket(name) for name in pair.names], params) as balancer:
        balancer.until(lambda: bool(balancer.commands("honest")), "the honest one is given some")
        pair.live_on(5)
    return balancer


@pytest.mark.incident("R14")
def test_what_has_not_come_back_is_not_given_to_others(pair: Guests) -> None:
    balancer = grow(pair, ours(BUDGET_BYTES))
    assert any(trace.is_doubted for trace in balancer.traces("liar")), balancer.account
    given_bytes = pair.actual_bytes("honest")
    assert given_bytes > LEFT_BYTES["honest"], "what there is, is given"
    assert given_bytes <= BUDGET_BYTES - LIAR_BYTES, balancer.account


@pytest.mark.incident("R14")
def test_without_the_hosts_own_measure_it_is_given_twice(pair: Guests) -> None:
    balancer = grow(pair, ours(BUDGET_BYTES, without=GuardRule.DOUBT))
    assert pair.actual_bytes("honest") > BUDGET_BYTES - LIAR_BYTES + 16 * MIB, balancer.account
