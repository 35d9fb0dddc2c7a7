"""Compares with a text kept beside the tests; AEROSTAT_UPDATE_GOLDEN=1 writes it anew."""

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """Review the difference of an updated file like any other change."""
    path = GOLDEN / name
    trimmed = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") + "\n"
    if os.environ.get("AEROSTAT_UPDATE_GOLDEN") == "1":
        path.write_text(trimmed, encoding="utf-8")
    assert trimmed == path.read_text(encoding="utf-8")
