"""The application: where memory is, a table that stays in place, what happens, and commands."""

from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import quote

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, Static

from aerostat.ports.errors import AerostatError
from aerostat.present.printable import printable
from aerostat.tui.detail import Detail
from aerostat.tui.happened import happened_text
from aerostat.tui.host_bar import head_text
from aerostat.tui.rows import SHORT, SORTS, words
from aerostat.tui.source import Source
from aerostat.tui.table import GuestTable

REFRESH_S = 1.0
EVENTS_EVERY = 4
"""Events are asked for in every so many looks."""
EVENT_LINES = 7
_OF_THE_LIST = ("explain", "say_to_chosen", "sort", "filter", "events")
ROOM_FOR_EVENTS = 30
"""A terminal of so many lines shows them without being asked."""


class Question(ModalScreen[bool]):
    """Asks before something is done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "yes"),
        Binding("n,escape", "answer(False)", "no"),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """One line, and how to answer."""
        yield Label(f"{self._text}\n\ny: yes   n: no", markup=False)

    def action_answer(self, is_yes: bool) -> None:
        """End with an answer."""
        self.dismiss(is_yes)


class Top(App[None]):
    """The whole of it."""

    TITLE: str | None = "Aerostat"
    CSS = """
    #head { height: auto; max-height: 40%; padding: 0 1; }
    #filter { display: none; height: 3; }
    #filter.shown { display: block; }
    GuestTable { height: 1fr; scrollbar-gutter: stable; overflow-x: hidden; }
    #chosen { height: 1; padding: 0 1; background: $panel; }
    #happened { display: none; padding: 0 1; border-top: solid $panel; }
    #happened.shown { display: block; }
    Question { align: center middle; }
    Question Label { padding: 1 3; background: $panel; border: round $accent; width: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "explain", "why", priority=False),
        Binding("h", "say_to_chosen('hold')", "hold"),
        Binding("r", "say_to_chosen('release')", "release"),
        Binding("u", "say_to_chosen('unhold')", "unhold"),
        Binding("s", "sort", "sort"),
        Binding("slash", "filter", "filter"),
        Binding("e", "events", "events"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(
        self, source: Source, *, refresh_s: float | None = REFRESH_S, note: str = ""
    ) -> None:
        super().__init__()
        self._source = source
        self._note = note  # what is to be known of the source
        self._refresh_s = refresh_s
        self._state: dict[str, Any] | None = None
        self._events: list[dict[str, Any]] = []
        self._is_told: bool | None = None  # None: as there is room
        self._looks = 0
        self._asked: set[str] = set()  # what is under way: nothing is asked for twice at once
        self._sort = "name"
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """Head, filter, table, the chosen one's reason, events, keys."""
        yield Static(id="head", markup=False)
        yield Input(id="filter", placeholder="filter: name, word, reason")
        yield GuestTable()
        yield Static(id="chosen", markup=False)
        yield Static(id="happened", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self._table.lay_out(self.size.width)
        self._table.focus()
        self.look()
        if self._refresh_s is not None:
            self.set_interval(self._refresh_s, self.look)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On a guest's page, what concerns the list is neither done nor offered."""
        del parameters
        return not (action in _OF_THE_LIST and len(self.screen_stack) > 1)

    @property
    def _table(self) -> GuestTable:
        return self.screen_stack[0].query_one(GuestTable)

    def _static(self, name: str) -> Static:
        return self.screen_stack[0].query_one(f"#{name}", Static)

    def on_resize(self) -> None:
        """Show as much as there is room for now."""
        self._table.lay_out(self.size.width)
        self._draw()

    def look(self) -> None:
        """Ask for what is to be shown, beside the terminal's own work."""
        self._ask("/v1/state", self._show)
        if self._has_events and self._looks % EVENTS_EVERY == 0:
            self._ask("/v1/events", self._show_events, since="1h", limit="40")
        self._looks += 1

    @work(thread=True)
    def _ask(self, path: str, show: Callable[[Any], None], **query: str) -> None:
        if path in self._asked:
            return
        self._asked.add(path)
        try:
            told = self._source.get(path, **query)
        except AerostatError as error:
            self.call_from_thread(self._show_trouble, str(error))
        else:
            self.call_from_thread(show, told)
        finally:
            self._asked.discard(path)

    @property
    def _has_events(self) -> bool:
        if self._is_told is not None:
            return self._is_told
        return self.size.height >= ROOM_FOR_EVENTS

    def _show_trouble(self, text: str) -> None:
        if not self._is_up:
            return
        self._static("head").update(Text(printable(text), style=SHORT))

    def _show(self, state: dict[str, Any]) -> None:
        self._state = state
        self._draw()

    def _show_events(self, told: dict[str, Any]) -> None:
        self._events = told.get("events", [])
        self._draw()

    @property
    def _is_up(self) -> bool:
        """Whether its parts are there: an answer may come before they are, or after."""
        return self.is_running and bool(self.screen_stack[0].query("#happened"))

    def _draw(self) -> None:
        if not self._is_up:
            return
        happened = self._static("happened")
        happened.set_class(self._has_events, "shown")
        if self._state is None:
            return
        width = self.size.width - 2
        head = head_text(self._state, sort=self._sort, note=self._note, width=width)
        self._static("head").update(head)
        if self._has_events:
            happened.update(happened_text(self._events, width=width, lines=EVENT_LINES))
        guests = sorted(self._state["guests"], key=SORTS[self._sort])
        self._table.show_guests([guest for guest in guests if self._is_wanted(guest)])
        self._tell_why()

    def _tell_why(self) -> None:
        """Of the chosen one the reason in full: in the table it may be cut off."""
        guest = self._chosen()
        told = "" if guest is None else f"{printable(guest['name'])}: {words(guest)}"
        self._static("chosen").update(Text(told, no_wrap=True, overflow="ellipsis"))

    def _is_wanted(self, guest: dict[str, Any]) -> bool:
        text = f"{guest['name']} {guest['words']} {guest['reason']} {guest['run_state']}"
        return self._wanted.lower() in text.lower()

    def _chosen(self) -> dict[str, Any] | None:
        key = self._table.chosen
        if self._state is None or key is None:
            return None
        return next((guest for guest in self._state["guests"] if guest["id"] == key), None)

    def on_data_table_row_highlighted(self) -> None:
        """The cursor has moved."""
        self._tell_why()

    def on_data_table_row_selected(self) -> None:
        """Enter on a row."""
        self.action_explain()

    def action_explain(self) -> None:
        """Show all that is known of the chosen guest."""
        if (guest := self._chosen()) is not None:
            self.push_screen(Detail(self._source, guest, say=self.say, refresh_s=self._refresh_s))

    def action_say_to_chosen(self, verb: str) -> None:
        """Hold, release or unhold the chosen guest."""
        if (guest := self._chosen()) is not None:
            self.say(verb, guest)

    def say(self, verb: str, guest: dict[str, Any]) -> None:
        """Hold, release or unhold a guest; taking memory from others is asked about."""
        self._say(verb, guest)

    @work(exclusive=False)
    async def _say(self, verb: str, guest: dict[str, Any]) -> None:
        name = printable(guest["name"])
        question = {
            "hold": f"Take nothing from {name} until you say unhold?",
            "release": f"Give {name} its max now? Others may have to give.",
        }.get(verb)
        if question is None or await self.push_screen_wait(Question(question)):
            self._post(guest, verb)

    @work(thread=True)
    def _post(self, guest: dict[str, Any], verb: str) -> None:
        try:
            answer = self._source.post(f"/v1/guests/{quote(guest['id'], safe='')}/{verb}", {})
        except AerostatError as error:
            self.call_from_thread(self.notify, str(error), severity="error")
            return
        mode = answer["mode"]
        note = "" if mode == "enforce" else f"; the daemon is in mode {mode}, and sends nothing"
        self.call_from_thread(self.notify, f"{printable(guest['name'])}: {verb}{note}")
        self.call_from_thread(self.look)

    def action_sort(self) -> None:
        """Sort by the next column."""
        names = list(SORTS)
        self._sort = names[(names.index(self._sort) + 1) % len(names)]
        self._draw()

    def action_events(self) -> None:
        """Show what happens, or hide it."""
        self._is_told = not self._has_events
        self._looks = 0
        self._draw()
        self.look()

    def action_filter(self) -> None:
        """Show only some."""
        field = self.query_one("#filter", Input)
        field.add_class("shown")
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self._wanted = event.value
        self._draw()

    def on_input_submitted(self) -> None:
        """Back to the table."""
        field = self.query_one("#filter", Input)
        field.set_class(bool(self._wanted), "shown")
        self._table.focus()
