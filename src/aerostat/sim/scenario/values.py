"""How values of a scenario file are read, beyond those a configuration has."""

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from aerostat.config.values import read_share, read_size, shown
from aerostat.sim.ages import Ages, is_curve


class Table(BaseModel):
    """A table of the file; keys that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_size_or_none(value: object) -> int:
    """Read a size in bytes, or "none", which is 0."""
    return 0 if value == "none" else read_size(value)


def read_sentence(value: object) -> str:
    """Read words for people."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{shown(value)} says nothing: write a sentence in quotes")
    if "|" in value or "\n" in value:
        raise ValueError(f'{shown(value)} has a "|" or a line break, and stands in a table')
    return value


def read_jump(value: object) -> float:
    """Read by how many seconds a clock jumps, forwards or back."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{shown(value)} is not a number of seconds: write 3600 or -3600")  # noqa: TRY004 # pydantic collects ValueError
    return float(value)


def read_ages(value: object) -> Ages:
    """Read which share of the accesses the youngest 16th, 8th, quarter and half take."""
    example = 'write four shares such as ["40%", "55%", "70%", "85%"]'
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError(f"{shown(value)} is no working set by age: {example}")
    ages = Ages(*(read_share(share) for share in value))
    if not is_curve(ages):
        raise ValueError(
            f"{shown(value)} is no working set by age, where younger memory is used at least as "
            f"often as older: {example}"
        )
    return ages


def read_pace(value: object) -> float:
    """Read bytes a second; "none" is 0, "any" is no limit."""
    return float("inf") if value == "any" else float(read_size_or_none(value))


def matching(pattern: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a pattern of the file means."""
    return tuple(name for name in names if fnmatchcase(name, pattern))


AgesValue = Annotated[Ages, BeforeValidator(read_ages)]
Pace = Annotated[float, BeforeValidator(read_pace)]
SizeOrNone = Annotated[int, BeforeValidator(read_size_or_none)]
Sentence = Annotated[str, BeforeValidator(read_sentence)]
JumpS = Annotated[float, BeforeValidator(read_jump)]
