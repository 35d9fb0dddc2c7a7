"""Shares as they are written on the command line: 0.5%, 20%, 0.2."""

import typer


def parse_share(text: str, option: str) -> float:
    """A share of a whole, from nothing to all but all of it.

    Raises:
        BadParameter: it is none.
    """
    digits = text.strip().removesuffix("%")
    try:
        share = float(digits) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise typer.BadParameter(
            f"{text!r} is no share: write 0.5% or 0.005, below 100%", param_hint=option
        )
    return share
