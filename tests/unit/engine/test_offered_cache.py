"""What a page cache is worth is found out: more is offered of what nobody needs, and looked at."""

from collections.abc import Callable

from aerostat.model.reasons import Reason
from builders import Guest, World, host_memory, params

FILES_MIB = 220
READS_MIB = 12.0
"""A second, of all its files, where none of them is in its cache."""
KEPT_FREE_MIB = 10


def served_from_cache(cache_mib: int) -> float:
    """What it reads in a second: its files are used all alike."""
    return READS_MIB * max(0.0, 1.0 - cache_mib / FILES_MIB)


def read_once(cache_mib: int) -> float:
    """What a stream of ever new files reads: as much with any cache."""
    del cache_mib
    return READS_MIB


def world_of(*, actual_mib: int, budget_mib: int = 900) -> World:
    return World(
        guests=[
            Guest(name="files", actual_mib=actual_mib, used_mib=100),
            Guest(name="idle", actual_mib=budget_mib - actual_mib, used_mib=120),
        ],
        params=params(budget_mib=budget_mib),
        memory=host_memory(),
    )


def lived(
    world: World, seconds: int, reads: Callable[[int], float] = served_from_cache
) -> list[Reason]:
    """Let it live; returns why it was given memory, each time."""
    files, given = world.guest("files"), []
    for _ in range(seconds):
        files.cache_mib = max(0, (files.actual_mib or 0) - files.used_mib - KEPT_FREE_MIB)
        if reads is served_from_cache:
            files.cache_mib = min(FILES_MIB, files.cache_mib)
        files.disk_read_mib += reads(files.cache_mib)
        before = files.actual_mib or 0
        world.round()
        if (files.actual_mib or 0) > before:
            given.append(world.trace("files").reason)
    return given


def test_a_guest_that_serves_from_its_cache_comes_to_hold_all_of_it() -> None:
    world = world_of(actual_mib=250)
    given = lived(world, 240)
    assert Reason.GROWN_FOR_CACHE in given
    assert (world.guest("files").actual_mib or 0) >= 100 + FILES_MIB


def test_and_keeps_it_when_it_misses_none_any_more() -> None:
    world = world_of(actual_mib=250)
    lived(world, 240)
    settled = world.guest("files").actual_mib
    assert lived(world, 600) == []
    assert world.guest("files").actual_mib == settled


def test_what_reads_each_file_once_is_offered_more_ever_more_rarely() -> None:
    world = world_of(actual_mib=250, budget_mib=620)
    first = lived(world, 300, read_once)
    later = lived(world, 1800, read_once)
    assert first.count(Reason.GROWN_FOR_CACHE) >= 1
    assert later.count(Reason.GROWN_FOR_CACHE) <= 4


def test_nobody_s_need_pays_for_an_offer() -> None:
    world = world_of(actual_mib=250, budget_mib=500)
    idle = world.guest("idle")
    idle.used_mib = (idle.actual_mib or 0) - 60  # it needs what it has
    lived(world, 240)
    assert (idle.actual_mib or 0) >= 250


def test_what_it_was_worth_is_given_up_for_others_need() -> None:
    world = world_of(actual_mib=250)
    lived(world, 240)
    held = world.guest("files").actual_mib or 0
    idle = world.guest("idle")
    idle.used_mib = 440
    idle.actual_mib = max(idle.actual_mib or 0, 450)
    lived(world, 60, read_once)  # what it reads now no cache would save
    assert (world.guest("files").actual_mib or 0) < held
