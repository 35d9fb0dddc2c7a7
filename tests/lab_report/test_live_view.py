"""The live view: legible in 80 columns, without colour, without Unicode, and cheap."""

import io
import time
from dataclasses import replace

import pytest
from rich.console import Console

from aerostat.lab.live import (
    DecisionPicture,
    GuestPicture,
    HostPicture,
    LivePicture,
    LiveView,
    PlainProgress,
    open_view,
)
from aerostat.lab.live.bars import STYLES, guest_bar, host_bar
from aerostat.lab.live.frame import frame_lines
from aerostat.lab.live.glyphs import ASCII, UNICODE, sparkline
from aerostat.units import MIB
from lab_report import synthetic
from lab_report.golden_text import assert_golden
from lab_report.live_pictures import pictures


def terminal(*, width: int = 80, height: int = 24) -> Console:
    return Console(
        width=width,
        height=height,
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        _environ={},
    )


def film(*, seconds: int, policy: str = "adaptive") -> list[LivePicture]:
    return list(pictures(synthetic.arm(policy)))[:seconds]


def last_frame(console: Console, frames: list[LivePicture]) -> str:
    view = LiveView(console)
    with view:
        for picture in frames:
            view.show(picture)
    console.export_text(clear=True)
    console.print(view.frame(frames[-1]))
    return console.export_text()


def guest(
    *,
    actual: int | None = None,
    target: int | None = None,
    used: int | None = None,
    cache: int | None = None,
    free: int | None = None,
) -> GuestPicture:
    """A guest of 512 MiB; sizes in MiB."""
    sizes = {"actual": actual, "target": target, "used": used, "cache": cache, "free": free}
    in_bytes = {name: None if mib is None else mib * MIB for name, mib in sizes.items()}
    return GuestPicture(
        name="a",
        max_bytes=512 * MIB,
        actual_bytes=in_bytes["actual"],
        target_bytes=in_bytes["target"],
        used_bytes=in_bytes["used"],
        cache_bytes=in_bytes["cache"],
        free_bytes=in_bytes["free"],
    )


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [(80, 24, "live_80.txt"), (120, 34, "live_120.txt"), (60, 14, "live_60.txt")],
)
def test_the_view_looks_as_reviewed(width: int, height: int, name: str) -> None:
    assert_golden(name, last_frame(terminal(width=width, height=height), film(seconds=17)))


@pytest.mark.parametrize(("width", "height"), [(40, 10), (80, 24), (100, 40), (200, 60)])
def test_a_frame_never_exceeds_its_terminal(width: int, height: int) -> None:
    lines = frame_lines(film(seconds=17)[-1], {}, size=(width, height))
    assert len(lines) < height
    assert max(line.cell_len for line in lines) <= width


def test_without_colour_the_parts_of_a_bar_still_differ() -> None:
    bar = guest_bar(
        guest(actual=256, used=128, cache=64, free=64, target=384),
        scale_bytes=512 * MIB,
        width=16,
        glyphs=UNICODE,
    )
    assert bar.plain == "████▓▓░░···┃····"


def test_memory_the_guest_does_not_account_for_is_shown_as_that() -> None:
    bar = guest_bar(guest(actual=256), scale_bytes=512 * MIB, width=8, glyphs=ASCII)
    assert bar.plain == "????...."


def test_a_guest_that_claims_more_than_it_holds_does_not_stretch_its_bar() -> None:
    bar = guest_bar(
        guest(actual=256, used=4096, target=9999),
        scale_bytes=512 * MIB,
        width=8,
        glyphs=ASCII,
    )
    assert bar.plain == "####...|"


def test_nothing_known_is_an_empty_bar() -> None:
    assert guest_bar(guest(), scale_bytes=MIB, width=4, glyphs=ASCII).plain == "    "


def test_more_than_the_budget_is_marked_as_over() -> None:
    bar = host_bar(10 * MIB, 5 * MIB, scale_bytes=10 * MIB, width=10, glyphs=ASCII)
    assert {span.style for span in bar.spans} == {STYLES["over"], STYLES["target"]}
    fits = host_bar(4 * MIB, 5 * MIB, scale_bytes=10 * MIB, width=10, glyphs=ASCII)
    assert fits.plain == "####|     "


def test_what_all_guests_hold_is_unknown_while_one_is_silent() -> None:
    picture = LivePicture(title="t", arm="a", elapsed_s=0.0, guests=(guest(actual=5), guest()))
    assert picture.given_bytes is None
    shown = replace(picture, host=HostPicture(budget_bytes=9 * MIB))
    (row,) = [
        line.plain
        for line in frame_lines(shown, {}, size=(80, 24), glyphs=ASCII)
        if line.plain.startswith("host")
    ]
    assert row.endswith("- of 9 MiB")


def test_a_sparkline_keeps_gaps_and_the_newest() -> None:
    assert sparkline([0.0, 0.5, None, 1.0], width=3, glyphs=ASCII) == "= #"
    assert sparkline([1.0], width=3, glyphs=ASCII) == "  #"


def test_ascii_terminals_get_ascii() -> None:
    lines = frame_lines(film(seconds=5)[-1], {}, size=(80, 24), glyphs=ASCII)
    assert all(line.plain.isascii() for line in lines)


def test_a_guests_name_cannot_drive_the_terminal() -> None:
    evil = "\x1b[2J[red]x"
    picture = LivePicture(
        title="t",
        arm="a",
        elapsed_s=1.0,
        guests=(replace(guest(actual=1), name=evil, state=evil),),
        decisions=(DecisionPicture(age_s=0.0, guest=evil, words=evil),),
    )
    console = Console(file=io.StringIO(), width=80, height=24, color_system=None, _environ={})
    for line in frame_lines(picture, {}, size=(80, 24)):
        console.print(line)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert "\x1b" not in text
    assert "?[2J[red]x" in text


def test_another_arm_starts_with_an_empty_sparkline() -> None:
    frames = film(seconds=9)
    text = last_frame(terminal(), [*frames, replace(frames[-1], arm="the next", elapsed_s=99.0)])
    (row,) = [line for line in text.splitlines() if "ops/s" in line and "█" in line][:1]
    assert row.count("█") == 1


def test_several_pictures_in_a_second_make_one_mark() -> None:
    frames = film(seconds=2)
    many = [replace(frames[0], elapsed_s=30 + tenth / 10) for tenth in range(10)]
    text = last_frame(terminal(), [*many, frames[-1]])
    row = next(line for line in text.splitlines() if "ops/s" in line)
    assert row.count("█") == 2


def test_a_frame_is_cheap() -> None:
    """The lab's guests need the two cores: drawing may take 20 ms at most, in a quiet moment."""
    view, costs_s = LiveView(terminal(width=120, height=40)), []
    with view:
        for picture in film(seconds=20):
            start_s = time.perf_counter()
            view.show(picture)
            costs_s.append(time.perf_counter() - start_s)
    assert min(costs_s) < 0.020


def test_the_view_suits_where_it_writes_to() -> None:
    assert isinstance(open_view(terminal()), LiveView)
    assert isinstance(open_view(terminal(), is_quiet=True), PlainProgress)
    pipe = Console(file=io.StringIO(), _environ={})
    assert isinstance(open_view(pipe), PlainProgress)
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert isinstance(open_view(dumb), PlainProgress)


def test_plain_lines_come_at_changes_and_every_few_seconds() -> None:
    stream = io.StringIO()
    frames = film(seconds=12)
    with PlainProgress(stream, every_s=5.0) as progress:
        for picture in frames:
            progress.show(picture)
        progress.show(replace(frames[-1], phase="the next"))
    lines = stream.getvalue().splitlines()
    assert [line[:13] for line in lines] == [
        "TCG: emulated",
        "[0:31 / 1:15]",
        "[0:36 / 1:15]",
        "[0:41 / 1:15]",
        "[0:42 / 1:15]",
    ]
    assert "served" in lines[1]
    assert lines[-1].count("the next") == 1


def test_quiet_means_silent() -> None:
    stream = io.StringIO()
    with PlainProgress(stream, is_quiet=True) as progress:
        progress.show(film(seconds=1)[0])
    assert stream.getvalue() == ""
