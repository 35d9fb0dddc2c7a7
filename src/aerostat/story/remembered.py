"""Which VM is meant, how old what is told is, and how every document begins."""

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aerostat import __version__
from aerostat.ports.errors import AerostatError
from aerostat.store import KnownGuest, StoreError, StoreReader
from aerostat.units import format_duration

OLD_S = 60.0
"""The daemon writes something every ten seconds: after a minute it is not running any more."""

GONE_S = 30.0
"""A guest that is there is written every ten seconds."""

_NAMES_MAX = 20


class UnknownGuestError(AerostatError):
    """The store knows no such VM, or more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old a store is."""

    now_wall_s: float
    written_wall_s: float

    @property
    def age_s(self) -> float:
        """Since the daemon last wrote; a clock that went back is no negative age."""
        return max(0.0, self.now_wall_s - self.written_wall_s)

    @property
    def is_old(self) -> bool:
        """Whether the daemon is probably not running."""
        return self.age_s > OLD_S

    def warning(self) -> str | None:
        """Say that it is old, if it is."""
        if not self.is_old:
            return None
        return old_warning(self.age_s)


def old_warning(age_s: float) -> str:
    """What to say above what may not be so any more."""
    return (
        f"The daemon last wrote {format_duration(age_s)} ago: "
        "this was so then, and need not be so now."
    )


def freshness(reader: StoreReader, path: Path, *, now_wall_s: float) -> Freshness:
    """How old the store is.

    Raises:
        StoreError: no round has been written yet.
    """
    written = reader.written_wall_s()
    if written is None:
        raise StoreError(path, "no round has been written to it yet; is the daemon running?")
    return Freshness(now_wall_s=now_wall_s, written_wall_s=written)


def found_guest(known: tuple[KnownGuest, ...], wanted: str, *, now: Freshness) -> KnownGuest:
    """Find a VM by its id, its name or its platform's number; of several, the one that is there.

    Raises:
        UnknownGuestError: there is none, or more than one is there.
    """
    by_id = [guest for guest in known if guest.guest == wanted]
    named = by_id or [guest for guest in known if guest.name == wanted]
    named = named or [guest for guest in known if guest.number == wanted]
    present = [guest for guest in named if not is_gone(guest, now)]
    if len(present) > 1:
        ids = ", ".join(guest.guest for guest in present)
        raise UnknownGuestError(f"{len(present)} VMs are named {wanted!r}; say which by id: {ids}")
    if named:
        return max(present or named, key=lambda guest: guest.seen_wall_s)
    raise UnknownGuestError(_unknown(known, wanted))


def is_gone(guest: KnownGuest, now: Freshness) -> bool:
    """Whether it was not there any more when the daemon last wrote."""
    return now.written_wall_s - guest.seen_wall_s > GONE_S


def _unknown(known: tuple[KnownGuest, ...], wanted: str) -> str:
    if not known:
        return f"no VM {wanted!r}: the daemon has not seen any VM yet"
    names = sorted({guest.name for guest in known})
    lowered = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), list(lowered), n=3, cutoff=0.5)
    words = f"no VM {wanted!r}"
    if near:
        words += "; did you mean " + " or ".join(repr(lowered[name]) for name in near) + "?"
    more = f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
    listed = ", ".join(repr(name) for name in names[:_NAMES_MAX])
    return f"{words}{'' if near else ';'} known are {listed}{more}"


def heading(path: Path | None, now: Freshness, schema: str) -> dict[str, object]:
    """How every document about a store begins."""
    return {
        "schema": schema,
        "aerostat": __version__,
        "now": utc(now.now_wall_s),
        **known_only(store=None if path is None else str(path)),
        "written": utc(now.written_wall_s),
        "written_age_s": round(now.age_s, 3),
        "is_old": now.is_old,
    }


def utc(wall_s: float) -> str:
    """A moment as JSON has it."""
    return datetime.fromtimestamp(wall_s, tz=UTC).isoformat(timespec="milliseconds")


def known_only(**values: object) -> dict[str, object]:
    """The values that there are: what was not measured is absent."""
    return {key: value for key, value in values.items() if value is not None}
