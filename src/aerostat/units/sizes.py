"""Byte sizes as people write them: ``2G``, ``2GiB``, ``1500MiB``."""

import re

KIB = 1024
MIB = 1024**2
GIB = 1024**3
PAGE_BYTES = 4096

# Binary everywhere: in this field "2G" has always meant 2 GiB. A decimal "2GB" would be a third
# meaning, so it is refused instead of guessed.
_FACTORS = {
    "B": 1,
    "K": KIB,
    "KIB": KIB,
    "M": MIB,
    "MIB": MIB,
    "G": GIB,
    "GIB": GIB,
    "T": 1024**4,
    "TIB": 1024**4,
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")
_EXPECTED = "write a number and a unit, such as 512MiB, 2GiB or 2G"


def parse_size(text: str) -> int:
    """Read a size and return bytes.

    A bare number is refused: it means KiB to some tools, MiB to others and bytes to the rest.

    Raises:
        ValueError: the text is not a size; the message says what would be.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size: {_EXPECTED}")
    number, unit = match.groups()
    factor = _FACTORS.get(unit.upper())
    if factor is None:
        raise ValueError(f"{text!r} has the unknown unit {unit!r}: {_EXPECTED}")
    return int(float(number) * factor)


def format_size(size_bytes: int) -> str:
    """Write bytes for people, in the largest unit that keeps at least three digits of meaning."""
    sign = "-" if size_bytes < 0 else ""
    magnitude = abs(size_bytes)
    for unit, factor in (("TiB", 1024**4), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        # 2 GiB and more in GiB; below that MiB tells more than "1.4 GiB" does.
        if magnitude >= 2 * factor or (magnitude >= factor and unit in {"MiB", "KiB"}):
            amount = magnitude / factor
            digits = 0 if amount >= 100 or amount == int(amount) else 1
            return f"{sign}{amount:.{digits}f} {unit}"
    return f"{sign}{magnitude} B"
