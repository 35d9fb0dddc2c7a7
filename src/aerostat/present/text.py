"""Writes a result document as JSON that a person can scroll: a column of figures is one line."""

import json
from typing import Any


def document_text(document: Any, *, indent: int = 0) -> str:
    """JSON with two spaces a level; a list or object without nesting stays on its line."""
    pad, inner = " " * indent, " " * (indent + 2)
    if isinstance(document, dict) and _nests(document.values()):
        lines = [
            f"{inner}{json.dumps(key)}: {document_text(value, indent=indent + 2)}"
            for key, value in document.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
    if isinstance(document, list) and _nests(document):
        lines = [f"{inner}{document_text(value, indent=indent + 2)}" for value in document]
        return "[\n" + ",\n".join(lines) + f"\n{pad}]"
    return json.dumps(document, allow_nan=False)


def _nests(values: Any) -> bool:
    return any(isinstance(value, dict | list) for value in values)
