"""What clients send, checked at the edge: every refusal says what would be right."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from aerostat.config.values import read_guest_amount, read_size
from aerostat.control.orders import Limits
from aerostat.model.limits import Amount
from aerostat.units import parse_duration

SIZE = r"^\d{1,12}(\.\d{1,3})?(B|K|KiB|M|MiB|G|GiB|T|TiB)$"
SIZE_OR_SHARE = r"^(\d{1,12}(\.\d{1,3})?(B|K|KiB|M|MiB|G|GiB|T|TiB)|\d{1,3}(\.\d{1,3})?%)$"
DURATION = r"^\d{1,9}(\.\d{1,3})?(ms|s|m|min|h|d)$"

NAME = r"^[^\x00-\x1f\x7f]+$"

RECLAIM_S = 600.0
FOR_S_MAX = 365 * 86_400.0

Size = Annotated[str, Field(pattern=SIZE, examples=["8GiB"])]
SizeOrShare = Annotated[str, Field(pattern=SIZE_OR_SHARE, examples=["1GiB", "33%"])]
Duration = Annotated[str, Field(pattern=DURATION, examples=["10m", "1h"])]
Name = Annotated[str, Field(min_length=1, max_length=256, pattern=NAME, examples=["db-7"])]
_DURATION = re.compile(DURATION)


class Body(BaseModel):
    """A request; keys that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitsBody(Body):
    """Limits over the configuration's; ``null`` gives one back to it, a missing one stays."""

    min: SizeOrShare | None = None
    max: SizeOrShare | None = None
    weight: Annotated[int, Field(ge=1, le=10_000, strict=True)] | None = None

    def limits(self) -> Limits:
        """As the loop takes them.

        Raises:
            ValueError: a size is out of range.
        """
        given = self.model_fields_set
        reset = frozenset(name for name in given if getattr(self, name) is None)
        return Limits(
            minimum=_amount(self.min),
            maximum=_amount(self.max),
            weight=self.weight,
            reset=reset,
        )

    def words(self) -> str:
        """As a person would have typed it."""
        given = [name for name in ("min", "max", "weight") if name in self.model_fields_set]
        told = [f"--{name} {_word(getattr(self, name))}" for name in given]
        return " ".join(["set", *told])


class ForBody(Body):
    """For how long; missing: until it is taken back."""

    for_: Annotated[Duration | None, Field(alias="for")] = None

    @property
    def for_s(self) -> float | None:
        """In seconds.

        Raises:
            ValueError: it is out of range.
        """
        return None if self.for_ is None else checked_duration(self.for_)

    def words(self, verb: str) -> str:
        """As a person would have typed it."""
        return verb if self.for_ is None else f"{verb} --for {self.for_}"


class SizeForBody(Body):
    """So much, for so long."""

    size: Size
    for_: Annotated[Duration, Field(alias="for")] = "10m"

    @property
    def size_bytes(self) -> int:
        """In bytes.

        Raises:
            ValueError: it is out of range.
        """
        return read_size(self.size)

    @property
    def for_s(self) -> float:
        """In seconds.

        Raises:
            ValueError: it is out of range.
        """
        return checked_duration(self.for_)


class ReclaimBody(SizeForBody):
    """So much is to be free on the host, beyond its reserve, for so long.

    What one owner reclaims again replaces what it had; others' stands beside it.
    """

    owner: Name | None = None

    def words(self) -> str:
        """As a person would have typed it."""
        words = f"reclaim {self.size} --for {self.for_}"
        return words if self.owner is None else f"{words} --owner {self.owner}"


class AdmitBody(SizeForBody):
    """A VM is about to start, or to come from another host, and will hold so much at the most."""

    name: Name
    for_: Annotated[Duration, Field(alias="for")] = "5m"

    def words(self) -> str:
        """As a person would have typed it."""
        return f"admit {self.name} {self.size} --for {self.for_}"


def checked_duration(text: str) -> float:
    """Read a duration and return seconds.

    Raises:
        ValueError: it is none, or longer than a year.
    """
    if _DURATION.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a duration: write for example 10m or 1h")
    duration_s = parse_duration(text)
    if not 0 < duration_s <= FOR_S_MAX:
        raise ValueError(f"{text!r} is out of range: above 0, and at most 365d")
    return duration_s


def _amount(text: str | None) -> Amount | None:
    return None if text is None else read_guest_amount(text)


def _word(value: Any) -> str:
    return "default" if value is None else str(value)
