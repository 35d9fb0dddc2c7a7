"""What was there before each change to the host, on disk before the change is made.

So a daemon that is killed half-way leaves behind what it takes to put the host back. The kernel's
own state does not survive a reboot: of changes made under an earlier boot only files are undone.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.sole_manager import sole_manager
from aerostat.host.techniques.technique import TechniqueError

SCHEMA = "aerostat-undo/1"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Kind(StrEnum):
    """What was changed."""

    KNOB = "knob"  # a file of /sys: target, before, applied
    KSM_RUN = "ksm_run"  # the same, but merged pages have to be parted again
    WRITTEN = "written"  # a file that reads otherwise than it is written: target, before
    SWAP = "swap"  # a device or file swapped to: target
    ZRAM = "zram"  # a device: target is its number
    FILE = "file"  # a file of ours: target


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change to the host, and what undoes it."""

    technique: str
    kind: Kind
    target: str
    before: str = ""
    applied: str = ""


class UndoLog:
    """Changes that are still to be undone, the latest last."""

    def __init__(self, path: Path, kernel: Kernel) -> None:
        """Use the log at ``path``; it need not exist.

        Raises:
            TechniqueError: it is there and cannot be understood.
        """
        self._path = path
        self._kernel = kernel
        self._boot_id = kernel.read_if_any(BOOT_ID) or ""
        self._changes = self._load()

    def pending(self, technique: str | None = None) -> tuple[Change, ...]:
        """Changes of one technique, or of all, in the order they were made."""
        return tuple(c for c in self._changes if technique in (None, c.technique))

    def record(self, change: Change) -> None:
        """Remember a change that is about to be made."""
        self._changes.append(change)
        self._save()

    def drop(self, change: Change) -> None:
        """Forget a change that was undone, or was never made."""
        self._changes.remove(change)
        self._save()

    def undo(self, technique: str | None, undo_one: Callable[[Change], str | None]) -> list[str]:
        """Undo, the latest first. What cannot be undone stays in the log and is told in words.

        ``undo_one`` may return a remark for the operator.
        """
        return self.undo_these(self.pending(technique), undo_one)

    def undo_these(
        self, changes: Sequence[Change], undo_one: Callable[[Change], str | None]
    ) -> list[str]:
        """The same, of some of the pending changes."""
        remarks: list[str | None] = []
        for change in reversed(changes):
            try:
                remarks.append(undo_one(change))
            except TechniqueError as error:
                remarks.append(str(error))
            else:
                self.drop(change)
        return [remark for remark in remarks if remark is not None]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from using this log, and this host's techniques, meanwhile.

        Raises:
            TechniqueError: another one does.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._path.with_name(self._path.name + ".lock")
        with sole_manager(self._kernel), lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise TechniqueError(
                    f"{self._path} is in use: another Aerostat manages this host's techniques"
                ) from error
            self._changes = self._load()  # it may have changed before we held it
            yield

    def _load(self) -> list[Change]:
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise TechniqueError(f"{self._path} cannot be read: {error.strerror}") from error
        try:
            boot_id, changes = _parse(text)
        except (ValueError, TypeError, KeyError) as error:
            raise TechniqueError(
                f"{self._path} says what was on this host before, and cannot be understood "
                f"({error}): put the host's settings back by hand, then remove that file"
            ) from error
        is_this_boot = boot_id == self._boot_id
        return [c for c in changes if is_this_boot or c.kind is Kind.FILE]

    def _save(self) -> None:
        document = {
            "schema": SCHEMA,
            "boot_id": self._boot_id,
            "changes": [asdict(change) for change in self._changes],
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(self._path.name + ".new")
        with new.open("w") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        _sync_directory(self._path.parent)


def _parse(text: str) -> tuple[str, list[Change]]:
    document = json.loads(text)
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is {document['schema']!r}, not {SCHEMA!r}")
    changes = [Change(**{**entry, "kind": Kind(entry["kind"])}) for entry in document["changes"]]
    return str(document["boot_id"]), changes


def _sync_directory(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
