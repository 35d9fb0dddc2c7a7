"""What a host's guests may hold together does not hang on whether one of them answers just now."""

from dataclasses import replace

import pytest

from aerostat.engine.host_state import next_host_state
from aerostat.engine.params import Accounting
from aerostat.engine.supply import supply_of
from aerostat.model.guest import RunState
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import HostState
from aerostat.units import GIB
from builders import Guest, World, host_memory, params


@pytest.mark.parametrize("accounting", list(Accounting))
def test_nobody_is_taken_from_because_another_guest_does_not_answer(accounting: Accounting) -> None:
    """Found by chaos seed 11: a hung guest's memory vanished from the account, and others paid."""
    base = params(budget_mib=None)
    world = World(
        guests=[
            Guest(name="hung", actual_mib=512, used_mib=200),
            Guest(name="other", actual_mib=512, used_mib=100),
        ],
        memory=host_memory(total_gib=4, available_gib=0.5),
        params=replace(base, host=replace(base.host, accounting=accounting)),
    )
    before = world.rounds(20).trace.host.supply_bytes
    hung = world.guest("hung")
    hung.run_state, hung.actual_mib, hung.has_statistics = RunState.UNREACHABLE, None, False
    for _ in range(20):
        assert world.round().trace.host.supply_bytes == before
        assert world.guest("other").actual_mib == 512


RESERVE_BYTES = GIB


@pytest.mark.parametrize(
    ("merged_gib", "state"),
    [
        (0.0, HostState.COMFORTABLE),
        (2.5, HostState.SOFT),
        (2.9, HostState.CRITICAL),
        (9.0, HostState.CRITICAL),
    ],
)
def test_the_host_is_as_short_as_it_were_without_what_merging_saves(
    merged_gib: float, state: HostState
) -> None:
    memory = replace(
        host_memory(total_gib=10, available_gib=3), revocable_bytes=int(merged_gib * GIB)
    )
    assert next_host_state(HostState.COMFORTABLE, memory, RESERVE_BYTES) is state
    assert memory.lasting_bytes == max(0, memory.available_bytes - int(merged_gib * GIB))


@pytest.mark.parametrize(
    ("merged_gib", "physical_gib"), [(0.0, 2.5), (0.5, 2.5), (2.0, 1.0), (5.0, 0.0)]
)
def test_what_a_storm_of_writes_would_take_is_not_given_to_distress(
    merged_gib: float, physical_gib: float
) -> None:
    """Half of the reserve is kept in any case; what merged pages may need is kept instead."""
    memory = replace(
        host_memory(total_gib=10, available_gib=3), revocable_bytes=int(merged_gib * GIB)
    )
    base = params(budget_mib=None)
    reserve = replace(base.host.reserve, size_bytes=RESERVE_BYTES, max_ratio=None)
    own = replace(base, host=replace(base.host, reserve=reserve))
    snapshot = HostSnapshot(now_s=1.0, wall_s=1.0, memory=memory, guests=())
    assert supply_of(snapshot, own).physical_bytes == int(physical_gib * GIB)
