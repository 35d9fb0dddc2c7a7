"""Reads what ``aerostat demo -o json`` prints."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def document_in(text: str) -> dict[str, Any]:
    """The one document in a text that holds nothing else."""
    document = json.loads(text)
    assert isinstance(document, dict)
    return document


def arms_of(document: Mapping[str, Any], policy: str) -> Sequence[Mapping[str, Any]]:
    return [arm for arm in document["arms"] if arm["policy"] == policy]


def operations(arms: Sequence[Mapping[str, Any]]) -> int:
    return sum(arm["operations"] for arm in arms)
