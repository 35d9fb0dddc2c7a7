"""What a host lacks is brought even where each guest's part of it is less than a balloon moves."""

from dataclasses import replace

from aerostat.engine.params import Accounting, EngineParams, HostParams
from aerostat.model.limits import Amount
from aerostat.model.plan import TargetChange
from aerostat.units import MIB
from builders import Guest, World, host_memory, params

RESERVE_MIB = 1024


def short_by(gap_mib: int, used_mib: tuple[int, ...]) -> World:
    """A host that lacks so much of its reserve, and guests of 512 MiB with much that lies free."""
    reserve = Amount(size_bytes=RESERVE_MIB * MIB)
    told: EngineParams = replace(
        params(budget_mib=None),
        host=HostParams(
            accounting=Accounting.ELASTIC, reserve=reserve, burst_reserve=Amount(size_bytes=0)
        ),
    )
    memory = host_memory(total_gib=8.0, available_gib=(RESERVE_MIB - gap_mib) / 1024)
    guests = [Guest(name=f"g{i}", used_mib=used) for i, used in enumerate(used_mib)]
    return World(guests=guests, memory=memory, params=told)


def first_changes(world: World) -> tuple[TargetChange, ...]:
    for _ in range(30):
        changes = world.round().plan.changes
        if changes:
            return tuple(changes)
    return ()


def test_one_gives_what_is_too_little_to_be_levelled() -> None:
    (change,) = first_changes(short_by(19, (150, 151, 152)))
    assert 18 * MIB <= 512 * MIB - change.target_bytes <= 20 * MIB


def test_much_is_levelled() -> None:
    changes = first_changes(short_by(240, (150, 151, 152)))
    assert len(changes) == 3


def test_what_is_not_worth_a_move_stays() -> None:
    assert first_changes(short_by(5, (150, 151, 152))) == ()
