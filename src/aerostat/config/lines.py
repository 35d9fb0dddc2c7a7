"""Finds the line of every key in a TOML text, which ``tomllib`` does not tell.

Only for text that ``tomllib`` has accepted: what is skipped here has been judged there.
"""

import re
import tomllib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]
"""From the top of the document: table and key names, and indices into arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^\n,\]}#]*")


def line_of_keys(text: str) -> dict[KeyPath, int]:
    """Map the path of each table, key and array element to its line, counted from 1."""
    scan = _Scan(text)
    scan.document()
    return scan.lines


class _Scan:
    """One pass over the text; ``at`` is the place reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._array_sizes: dict[KeyPath, int] = {}  # of [[arrays of tables]]

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self._take("[["):
                table = self._table_path(is_array=True)
            elif self._take("["):
                table = self._table_path(is_array=False)
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _table_path(self, *, is_array: bool) -> KeyPath:
        start = self.at
        names = self._key()
        self._take("]]" if is_array else "]")
        path: KeyPath = ()
        for position, name in enumerate(names):
            path = (*path, name)
            is_last = position == len(names) - 1
            if is_array and is_last:
                self.lines.setdefault(path, self._line(start))
                self._array_sizes[path] = self._array_sizes.get(path, 0) + 1
            if path in self._array_sizes:
                path = (*path, self._array_sizes[path] - 1)
        self.lines[path] = self._line(start)
        return path

    def _pair(self, table: KeyPath) -> None:
        start = self.at
        path = table
        for name in self._key():
            path = (*path, name)
            self.lines.setdefault(path, self._line(start))
        self._skip(_SPACE)
        self._take("=")
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            quoted = _STRING.match(self.text, self.at)
            match = quoted or _BARE_KEY.match(self.text, self.at)
            assert match is not None, "tomllib accepted this text"
            self.at = match.end()
            name = match.group()
            names.append(tomllib.loads(f"key = {name}")["key"] if quoted else name)
            self._skip(_SPACE)
            if not self._take("."):
                return names

    def _value(self, path: KeyPath) -> None:
        if self._take("["):
            self._array(path)
        elif self._take("{"):
            self._inline_table(path)
        else:
            self._skip(_STRING if _STRING.match(self.text, self.at) else _SCALAR)

    def _array(self, path: KeyPath) -> None:
        index = 0
        self._skip(_BLANK)
        while not self._take("]"):
            self.lines[(*path, index)] = self._line(self.at)
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _inline_table(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        while not self._take("}"):
            self._pair(path)
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        assert match is not None, "tomllib accepted this text"
        self.at = match.end()

    def _take(self, token: str) -> bool:
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def _line(self, place: int) -> int:
        return bisect_right(self._line_starts, place)
