"""The application: a table that stays in place while figures change, a guest's page, commands."""

from typing import Any, ClassVar, Protocol

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Label, Static

from aerostat.ports.errors import AerostatError
from aerostat.tui.rows import COLUMNS, SORTS, row, size

REFRESH_S = 1.0


class Source(Protocol):
    """Where the picture comes from: a daemon."""

    def get(self, path: str, **query: str) -> Any:
        """Ask for a document."""
        ...

    def post(self, path: str, body: Any) -> Any:
        """Command something."""
        ...


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


class Page(ModalScreen[None]):
    """Why a guest is at its size."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "back")]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The explanation, as ``aerostat explain`` tells it."""
        with VerticalScroll():
            yield Static(self._text, markup=False)


class Top(App[None]):
    """The whole of it."""

    TITLE: str | None = "Aerostat"
    CSS = """
    #head { height: auto; padding: 0 1; }
    #filter { display: none; height: 3; }
    #filter.shown { display: block; }
    DataTable { height: 1fr; }
    Question, Page { align: center middle; }
    Question Label { padding: 1 3; background: $panel; border: round $accent; width: auto; }
    Page VerticalScroll { width: 90%; height: 80%; padding: 1 2; background: $panel;
        border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "explain", "why", priority=False),
        Binding("h", "say('hold')", "hold"),
        Binding("r", "say('release')", "release"),
        Binding("u", "say('unhold')", "unhold"),
        Binding("s", "sort", "sort"),
        Binding("slash", "filter", "filter"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(
        self, source: Source, *, refresh_s: float | None = REFRESH_S, note: str = ""
    ) -> None:
        super().__init__()
        self._source = source
        self._note = note  # what is to be known of the source
        self._shown: dict[str, tuple[Text, ...]] = {}  # the cells as they are in the table
        self._refresh_s = refresh_s
        self._state: dict[str, Any] | None = None
        self._sort = "name"
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """Head, filter, table, keys."""
        yield Static(id="head", markup=False)
        yield Input(id="filter", placeholder="filter: name, word, reason")
        table: DataTable[Any] = DataTable(id="guests", cursor_type="row", zebra_stripes=False)
        yield table
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        table = self.query_one(DataTable)
        for name in COLUMNS:
            table.add_column(name, key=name)
        table.focus()
        self.look()
        if self._refresh_s is not None:
            self.set_interval(self._refresh_s, self.look)

    @work(thread=True, exclusive=True, group="look")
    def look(self) -> None:
        """Ask for the state, beside the terminal's own work."""
        try:
            state = self._source.get("/v1/state")
        except AerostatError as error:
            self.call_from_thread(self._show_trouble, str(error))
        else:
            self.call_from_thread(self._show, state)

    def _show_trouble(self, text: str) -> None:
        self.query_one("#head", Static).update(text)

    def _show(self, state: dict[str, Any]) -> None:
        self._state = state
        head = _head(state, self._sort)
        self.query_one("#head", Static).update(f"{self._note}  {head}" if self._note else head)
        self._fill()

    def _fill(self) -> None:
        if self._state is None:
            return
        table = self.query_one(DataTable)
        guests = sorted(self._state["guests"], key=SORTS[self._sort])
        guests = [guest for guest in guests if self._is_wanted(guest)]
        ids = [guest["id"] for guest in guests]
        if [key.value for key in table.rows] != ids:
            chosen = self._chosen()
            table.clear()
            self._shown = {guest["id"]: row(guest) for guest in guests}
            for guest, cells in self._shown.items():
                table.add_row(*cells, key=guest)
            if chosen is not None and chosen["id"] in ids:
                table.move_cursor(row=ids.index(chosen["id"]))
            return
        for guest in guests:
            cells = row(guest)
            # Each cell that is written is drawn and measured again: only what has changed is.
            for name, cell, before in zip(COLUMNS, cells, self._shown[guest["id"]], strict=True):
                if cell != before:
                    table.update_cell(guest["id"], name, cell, update_width=name != "why")
            self._shown[guest["id"]] = cells

    def _is_wanted(self, guest: dict[str, Any]) -> bool:
        text = f"{guest['name']} {guest['words']} {guest['reason']} {guest['run_state']}"
        return self._wanted.lower() in text.lower()

    def _chosen(self) -> dict[str, Any] | None:
        table = self.query_one(DataTable)
        if self._state is None or not table.row_count:
            return None
        key = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        return next((guest for guest in self._state["guests"] if guest["id"] == key), None)

    def on_data_table_row_selected(self) -> None:
        """Enter on a row."""
        self.action_explain()

    @work(thread=True)
    def action_explain(self) -> None:
        """Say why the chosen guest is at its size."""
        if (guest := self._chosen()) is None:
            return
        try:
            text = self._source.get(f"/v1/guests/{guest['id']}/explanation")["text"]
        except AerostatError as error:
            text = str(error)
        self.call_from_thread(self.push_screen, Page(text))

    @work
    async def action_say(self, verb: str) -> None:
        """Hold, release or unhold the chosen guest; taking memory from others is asked about."""
        if (guest := self._chosen()) is None:
            return
        question = {
            "hold": f"Take nothing from {guest['name']} until you say unhold?",
            "release": f"Give {guest['name']} its max now? Others may have to give.",
        }.get(verb)
        if question is None or await self.push_screen_wait(Question(question)):
            self._post(guest, verb)

    @work(thread=True)
    def _post(self, guest: dict[str, Any], verb: str) -> None:
        try:
            answer = self._source.post(f"/v1/guests/{guest['id']}/{verb}", {})
        except AerostatError as error:
            self.call_from_thread(self.notify, str(error), severity="error")
            return
        mode = answer["mode"]
        note = "" if mode == "enforce" else f"; the daemon is in mode {mode}, and sends nothing"
        self.call_from_thread(self.notify, f"{guest['name']}: {verb}{note}")
        self.call_from_thread(self.look)

    def action_sort(self) -> None:
        """Sort by the next column."""
        names = list(SORTS)
        self._sort = names[(names.index(self._sort) + 1) % len(names)]
        if self._state is not None:
            self._show(self._state)

    def action_filter(self) -> None:
        """Show only some."""
        field = self.query_one("#filter", Input)
        field.add_class("shown")
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self._wanted = event.value
        self._fill()

    def on_input_submitted(self) -> None:
        """Back to the table."""
        field = self.query_one("#filter", Input)
        field.set_class(bool(self._wanted), "shown")
        self.query_one(DataTable).focus()


def _head(state: dict[str, Any], sort: str) -> str:
    host, guests = state["host"], state["guests"]
    memory = host.get("memory") or {}
    short = sum(guest["is_distressed"] for guest in guests)
    first = (
        f"Aerostat {state['aerostat']}  mode {state['mode']}  host {host['state']}  "
        f"{size(memory.get('available_bytes'))} available of {size(memory.get('total_bytes'))}"
    )
    second = (
        f"{len(guests)} VMs, {short} short of memory; may hold {size(host.get('supply_bytes'))}, "
        f"hold {size(host.get('committed_bytes'))}, need {size(host.get('demand_bytes'))}; "
        f"sorted by {sort}"
    )
    return f"{first}\n{second}"
