"""Where the verbs that look back get it from: the running daemon, else what it kept."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerostat.cli.asked import Daemon, NoSuchGuestError, UnreachableError, WrongUsageError
from aerostat.cli.configured import effective_config
from aerostat.cli.remembered import chosen_store_path
from aerostat.ports.errors import AerostatError
from aerostat.store import StoreError, StoreReader, open_store

Told = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Source:
    """What was said of where to look. A daemon that is named is the one that is meant."""

    socket: Path | None
    url: str | None
    ca: Path | None
    store: Path | None
    config: Path | None

    def tell(
        self, ask: Callable[[Daemon], Told], remember: Callable[[StoreReader, Path], Told]
    ) -> Told:
        """Ask the daemon; where none answers, or it knows no such VM, read its store.

        Raises:
            UnreachableError: neither is there.
            AerostatError: the daemon refuses, or the store that was named cannot be read.
        """
        if self.store is not None:
            self._must_name_no_daemon()
            return self._remembered(remember)
        if self.socket is not None or self.url is not None or self.ca is not None:
            with closing(self.daemon()) as daemon:
                return ask(daemon)
        try:
            with closing(self.daemon()) as daemon:
                return ask(daemon)
        except (UnreachableError, NoSuchGuestError) as error:
            return self._else_remembered(remember, error)

    def daemon(self) -> Daemon:
        """The daemon alone: for what is told as it happens.

        Raises:
            UnreachableError: the configuration lets none answer.
        """
        if self.store is not None:
            self._must_name_no_daemon()
            raise WrongUsageError("a store does not tell what happens now: no --watch with --store")
        if self.socket is not None or self.url is not None or self.ca is not None:
            return Daemon(self.socket, self.url, self.ca)
        api = effective_config(self.config).document.api
        if not api.enabled:
            raise UnreachableError("the configuration switches the API off ([api] enabled = false)")
        return Daemon(None if api.socket is None else Path(api.socket), None)

    def _must_name_no_daemon(self) -> None:
        if (self.socket, self.url, self.ca) != (None, None, None):
            raise WrongUsageError("--store reads a file: give no --socket, --url or --ca with it")

    def _remembered(self, remember: Callable[[StoreReader, Path], Told]) -> Told:
        path = chosen_store_path(self.store, self.config)
        with open_store(path) as reader:
            return remember(reader, path)

    def _else_remembered(
        self, remember: Callable[[StoreReader, Path], Told], why_not: AerostatError
    ) -> Told:
        try:
            return self._remembered(remember)
        except StoreError as error:
            if isinstance(why_not, NoSuchGuestError):
                raise why_not from error
            raise UnreachableError(f"{why_not}; nor can what it kept be read: {error}") from error
