"""Text that is HTML already, as a type: what is not ``Markup`` has to be escaped first."""

import html
import re
from collections.abc import Iterable
from typing import NewType

Markup = NewType("Markup", str)

_UNIT_GAP = re.compile(r"(?<=\d) (?=(?:%|s|ms|B|[KMGT]iB)(?!\w))")


def escaped(text: object) -> Markup:
    """Any text as HTML, quotes included; a number and its unit stay on one line."""
    return Markup(_UNIT_GAP.sub("\u00a0", html.escape(str(text), quote=True)))


def join(parts: Iterable[Markup]) -> Markup:
    """HTML after HTML."""
    return Markup("".join(parts))


def definition_list(entries: Iterable[tuple[str, Markup]]) -> Markup:
    """Terms and what they are."""
    return Markup(
        "<dl>"
        + "".join(f"<div><dt>{escaped(term)}</dt><dd>{told}</dd></div>" for term, told in entries)
        + "</dl>"
    )
