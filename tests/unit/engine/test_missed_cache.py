"""A page cache is worth what is missed of it, and without an agent its disks tell."""

from builders import Guest, World, host_memory, params


def taken(
    *, read_mib_per_s: float, swap_in_mib_per_s: float = 0.0, read_before: float = 0.0
) -> int:
    """How many MiB a cache-filled guest is left with, which reads so much after its first take."""
    world = World(
        guests=[
            Guest(name="files", actual_mib=500, used_mib=100, cache_mib=380),
            Guest(name="hungry", actual_mib=300, used_mib=296),
        ],
        params=params(budget_mib=800),
        memory=host_memory(),
    )
    files, hungry = world.guest("files"), world.guest("hungry")
    for _ in range(40):
        is_after = (files.actual_mib or 0) < 500
        files.disk_read_mib += (read_mib_per_s if is_after else read_before) + swap_in_mib_per_s
        files.swap_in_mib += swap_in_mib_per_s
        hungry.used_mib = min(500, (hungry.actual_mib or 0) - 4)
        world.round()
    return files.actual_mib or 0


def test_a_guest_that_reads_its_disks_after_a_take_keeps_its_cache() -> None:
    assert taken(read_mib_per_s=20) > taken(read_mib_per_s=0) + 40


def test_one_that_always_reads_misses_nothing_more() -> None:
    assert taken(read_mib_per_s=20, read_before=20) == taken(read_mib_per_s=0)


def test_what_comes_from_its_swap_is_no_cache() -> None:
    quiet = taken(read_mib_per_s=0, swap_in_mib_per_s=0.2)
    assert taken(read_mib_per_s=0.1, swap_in_mib_per_s=0.2) == quiet
