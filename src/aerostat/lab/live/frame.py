"""Draws one frame as lines of text, for the width and height there is."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from aerostat.lab.live.bars import guest_bar, host_bar, legend
from aerostat.lab.live.glyphs import UNICODE, Glyphs, sparkline
from aerostat.lab.live.picture import DecisionPicture, GuestPicture, LivePicture
from aerostat.lab.scoring.scores import STARVED_BELOW_RATIO
from aerostat.present.printable import printable
from aerostat.present.wording import format_latency
from aerostat.units import MIB

History = Mapping[str, Sequence[float | None]]
"""Served over offered of each guest, oldest first."""

NAME_WIDTH = 9
WIDE = 110  # from here there is room for more words beside the bars
WIDTH_MAX = 140  # beyond this bars only get longer, not clearer
PRESSED_ABOVE_RATIO = 0.1


def frame_lines(
    picture: LivePicture, history: History, *, size: tuple[int, int], glyphs: Glyphs = UNICODE
) -> list[Text]:
    """One frame; ``size`` is the terminal's (columns, rows). Rows that do not fit are left out.

    The order of dropping: air between the guests, then old decisions, then the legend.
    """
    width, height = min(size[0], WIDTH_MAX), size[1]
    head = _head(picture, width=width, glyphs=glyphs)
    guests = [_guest(guest, picture, history, width, glyphs) for guest in picture.guests]
    host = [_host(picture, width=width, glyphs=glyphs)] if picture.guests else []
    notes = [Text(printable(note), style="dim", no_wrap=True) for note in picture.notes]
    foot = [legend(glyphs), *notes] if picture.guests else notes
    fixed = len(head) + sum(len(lines) for lines in guests) + len(host) + len(foot)
    room = height - 1 - fixed  # the last row is the cursor's
    is_airy = room >= len(guests) + 5
    air = [Text()] if is_airy else []
    room -= len(guests) + 3 if is_airy else 0
    said = [_said(item) for item in picture.decisions[: max(0, min(6, room))]]
    body = [line for lines in guests for line in (*lines, *air)]
    lines = [*head, *air, *body, *host, *air, *said, *(air if said else []), *foot]
    return [_cut(line, width) for line in lines[: max(1, height - 1)]]


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def _head(picture: LivePicture, *, width: int, glyphs: Glyphs) -> list[Text]:
    title = Text.assemble((printable(picture.title), "bold"), "  ", printable(picture.arm))
    clock = Text(clock_words(picture), style="dim")
    title.truncate(max(1, width - len(clock) - 2), overflow="ellipsis")
    title.append(" " * (width - title.cell_len - len(clock))).append_text(clock)
    ratio = 0.0 if not picture.total_s else min(1.0, picture.elapsed_s / picture.total_s)
    done = round(width * ratio)
    progress = Text.assemble(
        (glyphs.done * done, "#3fc1b5"), (glyphs.to_do * (width - done), "dim")
    )
    lines = [title, progress]
    if picture.phase:
        lines.append(Text(printable(picture.phase)))
    return lines


def clock_words(picture: LivePicture) -> str:
    """Elapsed and total, as minutes and seconds."""
    elapsed = _minutes(picture.elapsed_s)
    return elapsed if picture.total_s is None else f"{elapsed} / {_minutes(picture.total_s)}"


def _minutes(duration_s: float) -> str:
    return f"{int(duration_s) // 60}:{int(duration_s) % 60:02d}"


def _bar_width(width: int) -> int:
    side_width = 48 if width >= WIDE else 29  # what stands right of the bars
    return max(8, width - NAME_WIDTH - side_width)


def _guest(
    guest: GuestPicture, picture: LivePicture, history: History, width: int, glyphs: Glyphs
) -> list[Text]:
    bar_width = _bar_width(width)
    scale_bytes = max(other.max_bytes for other in picture.guests)
    name = printable(guest.name)[: NAME_WIDTH - 1].ljust(NAME_WIDTH)
    top = Text.assemble((name, "bold"))
    top.append_text(guest_bar(guest, scale_bytes=scale_bytes, width=bar_width, glyphs=glyphs))
    top.append(f" {_sizes(guest, glyphs)}")
    if guest.hot_bytes is not None and width >= WIDE:
        top.append(f"  hot {guest.hot_bytes / MIB:>3.0f} MiB", style="dim")
    top.append(f"  {printable(guest.state)}", style="dim")
    return [top, _figures_line(guest, history, width, glyphs)]


def _figures_line(guest: GuestPicture, history: History, width: int, glyphs: Glyphs) -> Text:
    ops, *others = _figures(guest, glyphs)
    taken = NAME_WIDTH + len(ops) + 1 + sum(2 + len(text) for text in others)
    # Where there is room, the sparkline ends where the bar above it ends.
    spark_width = max(4, min(width - taken, _bar_width(width) - len(ops) - 1))
    line = Text.assemble(" " * NAME_WIDTH, ops, " ")
    line.append_text(_spark(history.get(guest.name, ()), width=spark_width, glyphs=glyphs))
    for text in others:
        line.append("  ").append_text(text)
    return line


def _sizes(guest: GuestPicture, glyphs: Glyphs) -> str:
    if guest.actual_bytes is None:
        return glyphs.absent
    actual = f"{guest.actual_bytes / MIB:.0f}"
    if guest.target_bytes is None or abs(guest.target_bytes - guest.actual_bytes) < MIB:
        return f"{actual} MiB".rjust(14)
    return f"{actual} {glyphs.arrow} {guest.target_bytes / MIB:.0f} MiB".rjust(14)


def _figures(guest: GuestPicture, glyphs: Glyphs) -> list[Text]:
    served = "" if guest.served_per_s is None else f"{guest.served_per_s:.0f}"
    offered = "" if guest.offered_per_s is None else f"/{guest.offered_per_s:.0f}"
    latency = glyphs.absent if guest.latency_p99_s is None else format_latency(guest.latency_p99_s)
    swap_in, swap_out = guest.swap_in_bytes_per_s, guest.swap_out_bytes_per_s
    is_swapping = bool(swap_in) or bool(swap_out)
    swap = f"swap {_rate(swap_in, glyphs)}/{_rate(swap_out, glyphs)} MiB/s"
    return [
        Text(f"{served or glyphs.absent}{offered} ops/s".ljust(15), style=_served_style(guest)),
        Text(f"p99 {latency:>6}"),
        _pressure(guest.pressure_some_ratio, glyphs),
        Text(swap.ljust(18), style="yellow" if is_swapping else "dim"),
    ]


def _pressure(ratio: float | None, glyphs: Glyphs) -> Text:
    told = glyphs.absent if ratio is None else f"{ratio * 100:.0f} %"
    style = "bold yellow" if ratio is not None and ratio >= PRESSED_ABOVE_RATIO else "dim"
    return Text(f"PSI {told:>5}", style=style)


def _rate(rate: float | None, glyphs: Glyphs) -> str:
    return glyphs.absent if rate is None else f"{rate / MIB:.0f}"


def _spark(ratios: Sequence[float | None], *, width: int, glyphs: Glyphs) -> Text:
    newest = list(ratios)[-width:]
    gap: list[float | None] = [None] * (width - len(newest))
    padded = gap + newest
    marks = sparkline(padded, width=width, glyphs=glyphs)
    return Text.assemble(
        *((mark, _ratio_style(ratio)) for mark, ratio in zip(marks, padded, strict=True))
    )


def _served_style(guest: GuestPicture) -> str:
    return _ratio_style(guest.served_ratio)


def _ratio_style(ratio: float | None) -> str:
    if ratio is None:
        return "dim"
    return "bold red" if ratio < STARVED_BELOW_RATIO else "#67b26f"


def _host(picture: LivePicture, *, width: int, glyphs: Glyphs) -> Text:
    budget_bytes, given_bytes = picture.host.budget_bytes, picture.given_bytes
    sum_bytes = sum(guest.max_bytes for guest in picture.guests)
    # With a budget the bar ends a little beyond it, so that an excess can be seen.
    scale_bytes = sum_bytes if budget_bytes is None else round(budget_bytes * 1.12)
    scale_bytes = max(scale_bytes, given_bytes or 0, 1)
    line = Text.assemble(("host".ljust(NAME_WIDTH), "bold"))
    bar = host_bar(
        given_bytes,
        budget_bytes,
        scale_bytes=scale_bytes,
        width=_bar_width(width),
        glyphs=glyphs,
    )
    words = _host_words(picture, glyphs, is_wide=width >= WIDE)
    return line.append_text(bar).append(f"  {words}")


def _host_words(picture: LivePicture, glyphs: Glyphs, *, is_wide: bool) -> str:
    host = picture.host
    words = _in_mib(picture.given_bytes, glyphs)
    words += " given" if host.budget_bytes is None else f" of {_in_mib(host.budget_bytes, glyphs)}"
    if host.held_bytes is not None:
        words += f", held {_in_mib(host.held_bytes, glyphs)}"
    words += " MiB"
    if host.pressure_some_ratio is not None and is_wide:
        words += f", PSI {host.pressure_some_ratio * 100:.0f} %"
    if host.reserve_bytes and is_wide:
        words += f", reserve {_in_mib(host.reserve_bytes, glyphs)}"
    return words


def _in_mib(size_bytes: int | None, glyphs: Glyphs) -> str:
    return glyphs.absent if size_bytes is None else f"{size_bytes / MIB:.0f}"


def _said(decision: DecisionPicture) -> Text:
    ago = f"{decision.age_s:.0f} s ago".rjust(NAME_WIDTH)
    return Text.assemble(
        (f"{ago}  ", "dim"), (f"{printable(decision.guest)}  ", "bold"), printable(decision.words)
    )
