"""What the daemon remembers: rounds in SQLite, written beside the loop and read by anybody.

Samples and decisions are kept raw, as the engine saw and made them; whatever can be derived from
them is derived when it is read. The schema is explained in docs/store.md.
"""

from aerostat.store.errors import StoreError
from aerostat.store.following import MoveFollower
from aerostat.store.health import Health
from aerostat.store.kept import (
    EffectChange,
    Happening,
    KnownGuest,
    LastSeen,
    Move,
    Session,
    TapePart,
)
from aerostat.store.lending import Readers
from aerostat.store.reader import StoreReader, open_store
from aerostat.store.retention import Retention
from aerostat.store.sole import sole_writer
from aerostat.store.store import Store

__all__ = [
    "EffectChange",
    "Happening",
    "Health",
    "KnownGuest",
    "LastSeen",
    "Move",
    "MoveFollower",
    "Readers",
    "Retention",
    "Session",
    "Store",
    "StoreError",
    "StoreReader",
    "TapePart",
    "open_store",
    "sole_writer",
]
