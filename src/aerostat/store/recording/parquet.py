"""Parquet by pyarrow, which only these files need: it comes with the extra ``[plan]``."""

import importlib
from typing import Any

from aerostat.ports.errors import AerostatError


class MissingLibraryError(AerostatError):
    """A library that is not installed; the message says how to get it."""


def pyarrow() -> Any:
    """The library.

    Raises:
        MissingLibraryError: it is not installed.
    """
    return _imported("pyarrow")


def parquet() -> Any:
    """Its module for Parquet files.

    Raises:
        MissingLibraryError: it is not installed.
    """
    return _imported("pyarrow.parquet")


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingLibraryError(
            "Parquet files take pyarrow, which is not installed here: "
            'pip install ".[plan]" in a checkout, or your system\'s package of pyarrow'
        ) from error
