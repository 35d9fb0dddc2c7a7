"""One guest, live: what it holds and why, its past, and what would change it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from aerostat.ports.errors import AerostatError
from aerostat.present.printable import printable
from aerostat.tui.glyphs import BALLOONED, OF_GUEST, size
from aerostat.tui.history import line_of, memory_chart
from aerostat.tui.rows import SHORT, bar, words
from aerostat.tui.source import Source

PAST_EVERY = 5
"""Its past is asked for in every so many looks."""
_LABEL = 16
_TOLD = 28


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.1f} %"


def _rate(bytes_per_s: float) -> str:
    return f"{size(bytes_per_s)}/s"


_LINES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("pressure", "pressure_some_ratio", _percent),
    ("guest swap out", "swap_out_bytes_per_s", _rate),
    ("guest swap in", "swap_in_bytes_per_s", _rate),
    ("in host swap", "host_swap_bytes", size),
)


class Detail(Screen[None]):
    """A guest's page; ``esc`` leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "back"),
        Binding("h", "say('hold')", "hold"),
        Binding("r", "say('release')", "release"),
        Binding("u", "say('unhold')", "unhold"),
    ]
    CSS = """
    Detail VerticalScroll { padding: 0 1; }
    Detail Static { height: auto; }
    """

    def __init__(
        self,
        source: Source,
        guest: dict[str, Any],
        *,
        say: Callable[[str, dict[str, Any]], object],
        refresh_s: float | None,
    ) -> None:
        """Look at ``guest``, which is known as the list has it; ``say``: commands something."""
        super().__init__()
        self._source = source
        self._guest = guest
        self._say = say
        self._refresh_s = refresh_s
        self._path = f"/v1/guests/{quote(guest['id'], safe='')}"
        self._past: dict[str, Any] = {}
        self._told: dict[str, Any] = {}
        self._looks = 0
        self._is_looking = False
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """Text that is drawn anew, and the keys."""
        with VerticalScroll():
            yield Static(id="guest", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one(VerticalScroll).focus()
        self._draw()
        self.look()
        if self._refresh_s is not None:
            self.set_interval(max(1.0, self._refresh_s), self.look)

    def on_resize(self) -> None:
        """Draw it as wide as there is room."""
        self._draw()

    @work(thread=True)
    def look(self) -> None:
        """Ask for it, beside the terminal's own work; one look at a time."""
        if self._is_looking:
            return
        self._is_looking = True
        try:
            guest = self._source.get(self._path)
            told = self._source.get(f"{self._path}/explanation")
            if self._looks % PAST_EVERY == 0:
                past = self._source.get(f"{self._path}/history", since="1h", points="600")
            else:
                past = self._past
        except AerostatError as error:
            self.app.call_from_thread(self._show_trouble, str(error))
        else:
            self.app.call_from_thread(self._show, guest, told, past)
        finally:
            self._is_looking = False

    def _show_trouble(self, text: str) -> None:
        self._trouble = text
        self._draw()

    def _show(self, guest: dict[str, Any], told: dict[str, Any], past: dict[str, Any]) -> None:
        self._looks += 1
        self._trouble = ""
        self._guest, self._told, self._past = guest, told, past
        self._draw()

    def action_say(self, verb: str) -> None:
        """Hold, release or unhold it."""
        self._say(verb, self._guest)

    def _draw(self) -> None:
        width = max(40, self.app.size.width - 4)
        self.query_one("#guest", Static).update(Text("\n").join(self._lines(width)))

    def _lines(self, width: int) -> list[Text]:
        guest = self._guest
        style = SHORT if guest["is_distressed"] else "bold"
        lines = [Text.assemble((printable(guest["name"]), style), f"  {guest['run_state']}")]
        if self._trouble:
            lines.append(Text(printable(self._trouble), style=SHORT))
        lines += [bar(guest, width), _legend(), *_figures(guest, width), Text()]
        lines += [Text(words(guest), style=style), Text()]
        lines += self._history(width)
        lines += self._explained()
        return lines

    def _history(self, width: int) -> list[Text]:
        past, most = self._past, self._guest.get("max_bytes")
        if len(past.get("at") or []) < 2 or not most:
            return []
        minutes = (past["at"][-1] - past["at"][0]) / 60
        chart = memory_chart(past, most=most, width=width, height=8)
        lines = [Text(f"The last {minutes:.0f} min", style="bold"), *chart.split("\n")]
        across = width - _LABEL - _TOLD
        for label, name, form in _LINES:
            drawn, now, most_seen = line_of(past, name, width=across)
            told = "not told" if now is None else f"{form(now)}, most {form(most_seen)}"
            lines.append(
                Text.assemble((f"{label:<{_LABEL}}", "dim"), (drawn, "#d9a441"), f"  {told}")
            )
        return [*lines, Text()]

    def _explained(self) -> list[Text]:
        told = self._told
        lines = []
        sentences = (told.get("prospects") or {}).get("sentences") or []
        if sentences:
            lines.append(Text("What would change it", style="bold"))
            lines += [Text(f"  {printable(sentence)}") for sentence in sentences]
            lines.append(Text())
        moves = list(reversed((told.get("last") or [])[-12:]))
        if moves:
            lines.append(Text("What happened", style="bold"))
        for move in moves:
            at = datetime.fromisoformat(move["at"]).astimezone(tz=None)
            outcome = str(move["outcome"]).replace("_", " ")
            lines.append(
                Text.assemble(
                    (f"  {at:%H:%M:%S}  {outcome:<12}", "dim"), printable(str(move["words"]))
                )
            )
        return lines


def _legend() -> Text:
    legend = Text()
    for kind in (*OF_GUEST, BALLOONED):
        legend.append(kind.glyph, style=kind.style)
        legend.append(f" {kind.words}  ", style="dim")
    legend.append("┃", style="bold")
    return legend.append(" target", style="dim")


def _figures(guest: dict[str, Any], width: int) -> list[Text]:
    shown = [
        ("holds", guest.get("actual_bytes")),
        ("target", guest.get("target_bytes")),
        ("advised", guest.get("advised_bytes")),
        ("min", guest.get("min_bytes")),
        ("max", guest.get("max_bytes")),
        ("needs", guest.get("demand_bytes")),
        ("guest available", guest.get("guest_available_bytes")),
        ("host RAM for it", guest.get("host_held_bytes")),
        ("in host swap", guest.get("host_swap_bytes")),
    ]
    lines, line = [], Text()
    for name, figure in shown:
        if figure is None:
            continue
        entry = Text.assemble((f"{name} ", "dim"), (size(figure), "bold"), "   ")
        if line and len(line) + len(entry) - 3 > width:
            lines.append(line)
            line = Text()
        line.append_text(entry)
    age_s = guest.get("figures_age_s")
    told = "no figures from the guest" if age_s is None else f"figures {age_s:.1f} s old"
    return [*lines, line, Text(told, style="dim")]
