"""Pages that a kernel parks in swap while it reads files are no sign of need; others are.

Found on a real guest that read files at random: a hundred MiB of cache at hand, it swapped out some
hundred KiB now and then, and so was never calm, while its neighbour starved.
"""

import pytest

from builders import Guest, World, params


def play(*, cache_mib: int, out_mib: float, in_mib: float, held_mib: int | None = None) -> World:
    """A reader and a neighbour that is short, in a budget that they fill."""
    reader = Guest(
        name="reader",
        actual_mib=500,
        used_mib=495 - cache_mib,
        cache_mib=cache_mib,
        held_mib=held_mib,
    )
    short = Guest(name="short", actual_mib=400, used_mib=396)
    world = World(guests=[reader, short], params=params(budget_mib=900))
    for _ in range(40):
        reader.swap_out_mib += out_mib
        reader.swap_in_mib += in_mib
        short.used_mib = min(480, (short.actual_mib or 0) - 4)
        world.round()
    return world


def test_what_a_reader_parks_does_not_keep_its_cache_from_its_neighbour() -> None:
    world = play(cache_mib=245, out_mib=0.3, in_mib=0.02)
    assert (world.guest("short").actual_mib or 0) >= 480


@pytest.mark.parametrize(
    ("cache_mib", "out_mib", "in_mib", "held_mib"),
    [
        pytest.param(20, 0.3, 0.02, None, id="no cache to drop"),
        pytest.param(245, 0.6, 0.6, None, id="it reads them back"),
        pytest.param(245, 5.0, 0.0, None, id="far more than one parks"),
        pytest.param(245, 0.3, 0.0, 900, id="who may be lying"),
    ],
)
def test_whoever_swaps_out_for_need_is_spared(
    cache_mib: int, out_mib: float, in_mib: float, held_mib: int | None
) -> None:
    world = play(cache_mib=cache_mib, out_mib=out_mib, in_mib=in_mib, held_mib=held_mib)
    assert (world.guest("reader").actual_mib or 0) == 500
