"""What can be wrong with a store, told to a person."""

from pathlib import Path

from aerostat.ports.errors import AerostatError


class StoreError(AerostatError):
    """The store cannot be used; the message says what to do."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail


class ForeignFileError(StoreError):
    """The file is not ours, or not for this version: it is left alone."""


class DamagedFileError(StoreError):
    """The file is ours, and parts of it cannot be read."""
