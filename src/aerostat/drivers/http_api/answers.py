"""Takes untrusted answers apart: fields of objects, and a guest's figures by their names."""

from collections.abc import Mapping

from aerostat.drivers.sockets.errors import AnswerViolationError
from aerostat.model.figures import Absence

COUNT_MAX = 2**63 - 1
_UNSET = (-1, 2**64 - 1)  # the kernel's "no value", signed and unsigned


def fields(untrusted: object, what: str) -> Mapping[str, object]:
    """An object."""
    if not isinstance(untrusted, Mapping):
        raise AnswerViolationError(f"{what} is not an object")
    return untrusted


def text(untrusted: object, key: str) -> str | None:
    """A text under ``key``; None if there is none or it is empty."""
    value = untrusted.get(key) if isinstance(untrusted, Mapping) else None
    return value if isinstance(value, str) and value else None


def flag(untrusted: object, key: str) -> bool:
    """Whether ``key`` is set; what is not there is off."""
    return isinstance(untrusted, Mapping) and untrusted.get(key) is True


def count(untrusted: object, key: str) -> int | None:
    """A whole number under ``key``, from 0 to 2**63 - 1; None if it is not there.

    Raises:
        AnswerViolationError: something else is there.
    """
    value = untrusted.get(key) if isinstance(untrusted, Mapping) else None
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= COUNT_MAX:
        raise AnswerViolationError(f"'{key}' is not a whole number that can be")
    return value


def needed(untrusted: object, key: str) -> int:
    """The same, where it has to be there."""
    value = count(untrusted, key)
    if value is None:
        raise AnswerViolationError(f"the answer has no '{key}'")
    return value


def figures(stats: object, keys: Mapping[str, str]) -> dict[str, int | Absence]:
    """A guest's figures by our names, or why they have no value."""
    found = stats if isinstance(stats, Mapping) else {}
    return {name: _figure(found, key) for name, key in keys.items()}


def _figure(stats: Mapping[str, object], key: str) -> int | Absence:
    value = stats.get(key)
    if value is None:
        return Absence.NOT_REPORTED
    if not isinstance(value, int) or isinstance(value, bool):
        return Absence.ABSURD
    if value in _UNSET:
        return Absence.UNSET
    return value if 0 <= value <= COUNT_MAX else Absence.ABSURD
