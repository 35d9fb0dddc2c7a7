"""What a host's guests may hold together does not hang on whether one of them answers just now."""

from dataclasses import replace

import pytest

from aerostat.engine.params import Accounting
from aerostat.model.guest import RunState
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
