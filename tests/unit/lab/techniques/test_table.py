"""The table of techniques within 80 columns: who competes, what was discarded."""

from typing import Any

from rich.console import Console

from aerostat.lab.techniques.arms import ARMS
from aerostat.lab.techniques.table import (
    discarded_lines,
    memory_table,
    techniques_table,
    words_table,
)
from aerostat.units import MIB


def arm(name: str, served: float, *, valid: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {
        "technique": name,
        "repeat": 1,
        "valid": valid,
        "served_ratio": served,
        "within_slo_ratio": served,
        "unconstrained_ratio": served,
        "latency_p50_s": 0.0015,
        "latency_p99_s": 0.52,
        "starved_s": 21.0,
        "host_memory_mean_bytes": 1100 * MIB,
        "taken_back_bytes": 230 * MIB,
        "guest_swap_in_bytes": 12 * MIB,
        "guest_swap_out_bytes": 1012 * MIB,
        "host_swap_in_bytes": 1234 * MIB,
        "host_swap_out_bytes": 1234 * MIB,
        "cpu_split_s": {"daemon": 0.2, "kswapd": 3.0, "vm_guest": 40.0},
    }
    if not valid:
        found["why_invalid"] = "others kept 1.20 cores busy meanwhile"
    return found


def printed(document: dict[str, Any]) -> str:
    console = Console(width=80, record=True, force_terminal=False)
    with console.capture() as capture:
        console.print(techniques_table(document))
        console.print(memory_table(document))
        console.print(words_table(document))
    return capture.get()


def test_all_arms_fit_80_columns_in_the_order_people_know() -> None:
    document = {"arms": [arm(a.name, 0.9) for a in reversed(ARMS)]}
    text = printed(document)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    places = [text.index(a.title) for a in ARMS]
    assert places == sorted(places)
    assert "…" not in text


def test_what_cannot_be_held_to_the_budget_wins_nothing() -> None:
    document = {"arms": [arm("ksm", 0.99), arm("zswap", 0.95), arm("host_swap", 0.90)]}
    console = Console(width=80, force_terminal=True, color_system="standard", no_color=False)
    with console.capture() as capture:
        console.print(techniques_table(document))
    best = [line for line in capture.get().splitlines() if "\x1b[1;32m" in line]
    assert len(best) == 1
    assert "zswap" in best[0]


def test_a_discarded_run_is_counted_and_its_reason_told() -> None:
    document = {"arms": [arm("zswap", 0.9), arm("zswap", 0.2, valid=False)]}
    text = printed(document)
    assert "90.0 %" in text
    assert "1 run, 1 discarded" in text
    assert discarded_lines(document) == ["discarded: zswap: others kept 1.20 cores busy meanwhile"]


def test_the_classic_table_says_what_was_measured() -> None:
    document = {
        "arms": [arm("zswap", 0.9)],
        "take_back": [
            {"technique": "zswap", "contents": "free", "taken_bytes": 256 * MIB, "took_s": 0.5},
            {
                "technique": "zswap",
                "contents": "free",
                "huge_pages": True,
                "taken_bytes": 256 * MIB,
                "took_s": 0.7,
            },
        ],
    }
    text = " ".join(printed(document).split())
    for words in ("90.0 %", "0.50 s", "0.70 s", "3.2 s", "host CPU"):
        assert words in text, text


def test_repeats_are_told_with_their_spread() -> None:
    arms = [arm(a.name, served) for a in ARMS for served in (0.8, 0.9)]
    text = printed({"arms": arms})
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    for words in ("85.0 %", " 80.0 ", "to 90.0", "2 runs"):
        assert words in text
