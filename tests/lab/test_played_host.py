"""The real adapters on a kernel this machine may not have, inside a guest that plays the host.

What came back is judged by the cgroup's own charge; afterwards every knob is as it was.
"""

from pathlib import Path
from typing import Any

import pytest

from aerostat.lab.image import ImageError
from aerostat.lab.image.host import build_host_image, with_program
from aerostat.units import MIB
from lab.played_host.guest import PROGRAMS, play

pytestmark = [pytest.mark.lab, pytest.mark.slow]

Seen = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def seen(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What every act saw; the guest is booted once."""
    try:
        image = build_host_image(cache_dir, print)
    except ImageError as error:
        pytest.skip(str(error))
    directory = tmp_path_factory.mktemp("host")
    return play(with_program(image, directory / "initramfs.gz", PROGRAMS), directory)


def act(seen: Seen, name: str) -> dict[str, Any]:
    """One act; a failure inside shows as it was there."""
    assert name in seen, f"it was not played; those that were: {list(seen)}"
    assert "failed" not in seen[name], seen[name].get("failed")
    return seen[name]


def test_it_plays_a_host_of_cgroup_v2_with_damon(seen: Seen) -> None:
    facts = act(seen, "facts")
    assert {"memory", "io"} <= set(facts["controllers"])
    assert facts["damon"] == "DAMON is here"


def test_memory_is_taken_by_memory_reclaim(seen: Seen) -> None:
    told = act(seen, "reclaim")
    assert told["group_found"] == "/sys/fs/cgroup/vms/reclaim"
    assert told["why"].startswith("by memory.reclaim")
    assert 40 * MIB <= told["before"] - told["after"] <= 60 * MIB
    assert told["taken"] == pytest.approx(told["before"] - told["after"], abs=4 * MIB)
    assert told["swapped"] >= 40 * MIB
    assert told["knobs"]["memory.max"] == told["knobs"]["memory.high"] == "max"


def test_a_soft_limit_takes_what_is_beyond_it_and_is_lifted_again(seen: Seen) -> None:
    told = act(seen, "high")
    assert int(told["limit"]) == pytest.approx(told["before"] - 64 * MIB, abs=4096)
    assert told["before"] - told["after"] >= 60 * MIB
    assert told["swapped"] >= 56 * MIB
    assert told["remarks"] == []
    assert told["is_restored"]


def test_before_memory_reclaim_memory_high_does_the_same(seen: Seen) -> None:
    told = act(seen, "without_reclaim")
    assert "memory.high" in told["why"]
    assert told["before"] - told["after"] >= 40 * MIB
    assert told["is_restored"]


def test_a_vm_exempt_from_swap_loses_nothing(seen: Seen) -> None:
    told = act(seen, "exempt_from_swap")
    assert told["knobs"]["memory.swap.max"] == "0"
    assert told["taken"] < 4 * MIB
    assert told["swapped"] == 0
    assert told["is_restored"]


def test_a_vm_exempt_from_swap_alone_is_compressed_and_never_on_the_disk(seen: Seen) -> None:
    told = act(seen, "exempt_from_swap_alone")
    assert told["knobs"]["memory.zswap.writeback"] == "0"
    assert told["knobs"]["memory.swap.max"] == "max"
    assert told["in_pool"] > 8 * MIB
    assert told["swapped"] > 16 * MIB
    assert told["to_disk"] < 4 * MIB
    assert told["is_restored"]


def test_a_vm_exempt_from_compression_alone_goes_to_the_disk(seen: Seen) -> None:
    told = act(seen, "exempt_from_compression_alone")
    assert told["knobs"]["memory.zswap.max"] == "0"
    assert told["in_pool"] == 0
    assert told["to_disk"] >= 40 * MIB
    assert told["taken"] >= 40 * MIB
    assert told["is_restored"]


def test_zswap_compresses_what_is_taken_and_the_vm_is_charged_for_it(seen: Seen) -> None:
    told = act(seen, "zswap")
    assert told["stored"] >= 32 * MIB
    assert 0.3 * told["stored"] < told["pool"] < 0.8 * told["stored"]  # half of each page is zeros
    assert told["pool_of_vm"] == pytest.approx(told["pool"], rel=0.2)
    assert told["taken"] >= 28 * MIB
    assert told["remarks"] == []
    assert told["is_restored"]


def test_what_zram_takes_for_it_is_deducted_of_what_came_back(seen: Seen) -> None:
    told = act(seen, "zram")
    assert told["how"] == "by its cgroup"
    assert told["fell"] >= 40 * MIB
    assert 0.3 * told["fell"] < told["taken"] < 0.8 * told["fell"]
    assert told["is_restored"]


@pytest.mark.parametrize("name", ["page_out", "page_out_of_shared_memory"])
def test_memory_is_paged_out_by_address(seen: Seen, name: str) -> None:
    told = act(seen, name)
    assert "process_madvise" in told["why"]
    assert told["unmapped"] >= 48 * MIB
    assert told["swapped"] >= 44 * MIB
    assert told["taken"] >= 44 * MIB
    # The charge has the pool in it.
    fell = told["before"] - (told["after"] - told["pool"])
    assert fell == pytest.approx(told["taken"], abs=6 * MIB)


def test_what_is_paged_out_to_a_disk_is_not_taken_for_memory_that_came_back(seen: Seen) -> None:
    told = act(seen, "page_out_to_the_disk")
    assert told["unmapped"] >= 48 * MIB
    assert told["swapped"] >= 44 * MIB
    fell = told["before"] - told["after"]
    assert fell == pytest.approx(told["taken"], abs=6 * MIB)


def test_equal_pages_are_merged_at_the_advisors_pace_and_parted_again(seen: Seen) -> None:
    told = act(seen, "merged")
    assert "scan-time" in told["advisor"]
    assert told["found"], told
    assert told["warning"]
    assert told["merged"] > 28 * MIB
    assert 0 < told["profit"] <= told["merged"]
    assert told["saved"] > 50 * MIB
    assert told["cpu_s"] > 0
    assert told["shared_afterwards"] == 0
    assert told["remarks"] == []
    assert told["is_restored"]


def test_damon_tells_what_a_process_touches_and_what_that_costs(seen: Seen) -> None:
    told = act(seen, "touched")
    assert told["how"] == ["DAMON", "DAMON"]
    # Of 128 MiB it touches 32 all the time; where a region begins and ends is found by sampling.
    assert 24 * MIB <= told["touched"][-1] <= 80 * MIB
    ratio = told["cost_s"][-1] / told["span_s"][-1]
    assert 0 < ratio < 0.25, "of one emulated processor, many times slower than a real one"
    assert told["monitors"] == "64"
    assert told["is_restored"]


def test_monitors_of_a_killed_daemon_are_ended_and_those_of_others_left(seen: Seen) -> None:
    told = act(seen, "damon_after_a_kill")
    assert told["signal"] == 9
    assert (told["left"], told["state"]) == ("64", "on")
    assert told["ended"] == "0"
    assert not told["others_usable"]
    assert "somebody else" in told["others_why"]


def test_what_a_killed_manager_left_is_put_back_exactly(seen: Seen) -> None:
    told = act(seen, "killed_half_way")
    assert told["signal"] == 9
    changed = told["was_changed"]
    assert set(changed["group"]) == {"memory.high", "memory.zswap.writeback"}
    assert any(name.endswith("ksm/run") for name in changed["host"])
    assert any(name.endswith("parameters/enabled") for name in changed["host"])
    assert told["remarks"] == []
    assert told["is_restored"]
