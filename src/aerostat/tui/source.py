"""Where the picture comes from."""

from typing import Any, Protocol


class Source(Protocol):
    """A daemon."""

    def get(self, path: str, **query: str) -> Any:
        """Ask for a document."""
        ...

    def post(self, path: str, body: Any) -> Any:
        """Command something."""
        ...
