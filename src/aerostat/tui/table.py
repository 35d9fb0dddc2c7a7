"""The table of guests. It stays where it is: rows are places, and guests come to stand in them.

A guest that moves up changes what is written in two places; nothing is cleared, so that neither the
view nor the chosen guest jumps while figures change.
"""

from collections.abc import Sequence
from typing import Any

from rich.text import Text
from textual.widgets import DataTable

from aerostat.tui.rows import Column, columns_for, row


class GuestTable(DataTable[Any]):
    """Guests in the order given."""

    def __init__(self) -> None:
        super().__init__(id="guests", cursor_type="row")
        self._laid_out: tuple[Column, ...] = ()
        self._cells: list[tuple[Text, ...]] = []  # as they are on the screen, place by place
        self._ids: list[str] = []

    @property
    def ids(self) -> list[str]:
        """Who is shown, from the top."""
        return list(self._ids)

    @property
    def chosen(self) -> str | None:
        """Whose row the cursor is on."""
        return self._ids[self.cursor_row] if self.cursor_row < len(self._ids) else None

    def lay_out(self, width: int) -> None:
        """Have the columns that fit."""
        columns = columns_for(width)
        if columns == self._laid_out:
            return
        self._laid_out = columns
        self.clear(columns=True)
        self._cells, self._ids = [], []
        for column in columns:
            label = Text(column.name, justify="right" if column.is_figure else "left")
            self.add_column(label, width=column.width, key=column.name)

    def show_guests(self, guests: Sequence[dict[str, Any]]) -> None:
        """Write what has changed; the cursor stays on its guest, and the view where it is."""
        chosen = self.chosen
        cells = [row(guest, self._laid_out) for guest in guests]
        for place, (new, old) in enumerate(zip(cells, self._cells, strict=False)):
            # Each cell that is written is drawn and measured again: only what has changed is.
            for column, cell, before in zip(self._laid_out, new, old, strict=True):
                if cell != before:
                    self.update_cell(str(place), column.name, cell)
        for place in range(len(self._cells), len(cells)):
            self.add_row(*cells[place], key=str(place))
        for place in range(len(cells), len(self._cells)):
            self.remove_row(str(place))
        self._cells, self._ids = cells, [guest["id"] for guest in guests]
        if chosen in self._ids and (place := self._ids.index(chosen)) != self.cursor_row:
            top = self.scroll_offset.y
            self.move_cursor(row=place, scroll=False)
            # It scrolls to where the cursor went all the same.
            self.set_scroll(None, top)
            self.call_after_refresh(self.scroll_to, y=top, animate=False)
