"""The measured columns of the classic table: taking back, traffic, processor time; and its page."""

from typing import Any

from rich.console import Console

from aerostat.lab.report.page import render_report
from aerostat.lab.result.document import result_document
from aerostat.lab.result.verdict import Tone
from aerostat.lab.techniques.arms import ARM_OF, ARMS
from aerostat.lab.techniques.classic import classic_table
from aerostat.lab.techniques.costs import Told, cpu_of, give_of, take_of, traffic_of
from aerostat.lab.techniques.cpu_split import HostSpent, gone_by, split_of
from aerostat.lab.techniques.table import cpu_table, in_order, take_back_table
from aerostat.lab.techniques.verdict import verdict_of
from aerostat.present.wording import format_bytes, format_seconds
from aerostat.units import MIB
from lab_report.synthetic import experiment


def arm(name: str, repeat: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "technique": name,
        "title": ARM_OF[name].title,
        "repeat": repeat,
        "valid": True,
        "served_ratio": 0.9,
        "host_memory_mean_bytes": 1000 * MIB,
        "cpu_split_s": {"daemon": 0.2, "ksmd": 0.0, "kswapd": 0.5, "vm_kernel": 3.0},
        "zswap_out_bytes": 64 * MIB,
        **more,
    }


def taken(technique: str, contents: str = "free", **more: Any) -> dict[str, Any]:
    return {
        "technique": technique,
        "contents": contents,
        "asked_bytes": 256 * MIB,
        "taken_bytes": 256 * MIB,
        **more,
    }


DOCUMENT: dict[str, Any] = {
    "arms": [arm("zswap"), arm("zswap", 2, cpu_split_s={"kswapd": 1.5}), arm("balloon")],
    "take_back": [
        taken("balloon", took_s=0.31, gave_s=1.0),
        taken("balloon", took_s=0.35, gave_s=1.2),
        taken("zswap", taken_bytes=138 * MIB, gave_s=1.0),
        taken("zswap", took_s=0.5, gave_s=1.0),
        taken("zswap", "cold", took_s=0.9),
    ],
}


def test_how_fast_memory_came_is_told_over_repeats() -> None:
    told = take_of(DOCUMENT, "balloon", "free")
    assert told.text == "0.33 s"
    assert told.beside.startswith("0.31")
    assert take_of(DOCUMENT, "balloon", "cold").text == "–"  # noqa: RUF001 - the dash of absent figures


def test_what_did_not_come_is_told_with_what_did() -> None:
    told = take_of(DOCUMENT, "zswap", "free")
    came = "1 of 2 came"
    assert told == Told(text=f"only {format_bytes(138 * MIB)}", beside=came, below=came)
    assert give_of(DOCUMENT, "zswap", "cold").text == "not in time"


def test_processor_time_and_traffic_are_means_of_valid_runs() -> None:
    (zswap,) = [row for row in in_order(DOCUMENT) if row.policy == "zswap"]
    assert cpu_of(zswap, "kswapd").text == format_seconds(1.0)
    assert cpu_of(zswap, "daemon").text == format_seconds(0.2)
    assert cpu_of(zswap, "reclaim").text == "–"  # noqa: RUF001 - the dash of absent figures
    assert traffic_of(zswap, "zswap_out_bytes").text.startswith("64")


def test_a_split_is_the_difference_of_two_readings() -> None:
    def spent(seconds: float) -> HostSpent:
        return HostSpent(seconds={"ksmd": seconds}, zswap_in_bytes=1, zswap_out_bytes=None)

    assert split_of(spent(1.0), spent(3.5), 0.25) == {"daemon": 0.25, "ksmd": 2.5}
    assert split_of(spent(1.0), spent(3.5), None) == {"ksmd": 2.5}
    assert gone_by(3, 5) == 2
    assert gone_by(None, 5) is None


def test_three_kinds_of_memory_fit_80_columns_with_their_ranges() -> None:
    tries = [
        {"technique": arm.name, "took_s": took_s, "gave_s": 9.99 * took_s, **kind}
        for arm in ARMS
        for took_s in (0.55, 1.11)
        for kind in (
            {"contents": "free"},
            {"contents": "cold"},
            {"contents": "free", "huge_pages": True},
        )
    ]
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(take_back_table({"arms": [], "take_back": tries}))
    text = capture.get()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert "…" not in text
    rows = 3 * len({entry["technique"] for entry in tries})
    for words in ("0.83 s", " 0.55", "to 1.11", "8.29 s", " 5.49", "to 11.1"):
        assert text.count(words) == rows, (words, text)


def test_tables_fit_80_columns() -> None:
    console = Console(width=80, record=True, force_terminal=False)
    table = take_back_table(DOCUMENT)
    assert table is not None
    with console.capture() as capture:
        console.print(table)
        console.print(cpu_table(DOCUMENT))
    assert max(len(line.rstrip()) for line in capture.get().splitlines()) <= 80
    assert "…" not in capture.get()
    assert take_back_table({"arms": []}) is None


def test_the_page_has_the_classic_table_where_techniques_were_compared() -> None:
    page = classic_table(DOCUMENT)
    for words in ("compressed in memory, the rest to swap", "kswapd", "to zswap", "cold"):
        assert words in page
    plain = result_document(experiment())
    assert classic_table(plain) == ""
    assert "the guest must" not in render_report(plain)


def test_the_ladder_is_judged_by_the_best_single_technique_that_can_take_at_will() -> None:
    def judged(ladder: float) -> tuple[Tone, str]:
        arms = [arm("ksm", served_ratio=1.0), arm("zswap", served_ratio=0.8)]
        found = verdict_of({"arms": [*arms, arm("ladder", served_ratio=ladder)]})
        return found.tone, found.headline

    tone, headline = judged(0.6)
    assert tone is Tone.WORSE
    assert "zswap" in headline
    assert "KSM" not in headline
    assert judged(0.79)[0] is Tone.EVEN
    assert judged(0.9)[0] is Tone.BETTER
    assert verdict_of({"arms": [arm("zswap")]}).tone is Tone.OPEN


def test_who_held_more_than_the_budget_wins_nothing_and_is_named() -> None:
    def held(name: str, ratio: float, served_ratio: float) -> dict[str, Any]:
        sizes = {"budget_bytes": 1000 * MIB, "host_memory_mean_bytes": int(ratio * 1000 * MIB)}
        return arm(name, served_ratio=served_ratio, **sizes)

    arms = [held("zram", 1.06, 1.0), held("zswap", 1.02, 0.7)]
    found = verdict_of({"arms": [*arms, held("ladder", 1.03, 0.9)]})
    assert found.tone is Tone.BETTER
    assert "zswap" in found.headline
    assert found.details == ("zram wins nothing: it held 106.0 % of the budget.",)
    assert verdict_of({"arms": [*arms, held("ladder", 1.2, 0.9)]}).tone is Tone.OPEN
