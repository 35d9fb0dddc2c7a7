"""Answers that say the same again, byte for byte, are not parsed again.

Most of what a VM is asked in every round (does it run, does it migrate, what does it hold) hardly
ever changes. Compared is the answer as it came, but for the number of its question: nothing is
assumed, and nothing has an age.
"""

from collections.abc import Mapping
from typing import Any

_BEFORE_ID = b', "id": '


def numbered(line: bytes) -> tuple[bytes, int] | None:
    """An answer up to its id, and that id, where it comes last and closes the whole answer.

    Whatever else the line is, digits and one brace after the name can be nothing but that: not in
    a text, which would have to end, and not deeper, where more braces would close.
    """
    said, is_found, tail = line.rpartition(_BEFORE_ID)
    tail = tail.rstrip()
    digits = tail[:-1]
    if not is_found or tail[-1:] != b"}" or not digits.isdigit() or len(digits) > 18:
        return None
    return said, int(digits)


class LastSaid:
    """What was answered last to each question, as bytes and as parsed."""

    def __init__(self) -> None:
        self._last: dict[bytes, tuple[bytes, Mapping[str, Any]]] = {}

    def again(self, question: bytes, said: bytes) -> Mapping[str, Any] | None:
        """The very same object as the last time, if the answer is the same; else None."""
        last = self._last.get(question)
        return last[1] if last is not None and last[0] == said else None

    def note(self, question: bytes, said: bytes, message: Mapping[str, Any]) -> None:
        """Take what has been parsed."""
        self._last[question] = (said, message)
