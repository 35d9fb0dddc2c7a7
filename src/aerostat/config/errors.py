"""What is wrong with a configuration: all of it at once, each with its place."""

from dataclasses import dataclass
from pathlib import Path

from aerostat.ports.errors import AerostatError


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigProblem:
    """One thing that is wrong, where, and what would be right."""

    path: Path | None  # None: no file, the command line
    line: int | None  # counts from 1; None: the file as a whole
    key: str | None  # as a person would say it: host.reserve, guest[0].min
    message: str  # names the value and what would be right

    def __str__(self) -> str:
        place = "" if self.path is None else f"{self.path}:"
        if self.line is not None:
            place += f"{self.line}:"
        key = "" if self.key is None else f"{self.key}: "
        return f"{place} {key}{self.message}".lstrip()


class ConfigError(AerostatError):
    """The configuration cannot be used. Its text lists every problem, a line each."""

    exit_status = 2

    def __init__(self, first: ConfigProblem, *others: ConfigProblem) -> None:
        self.problems = (first, *others)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def path(self) -> Path | None:
        """The file of the first problem."""
        return self.problems[0].path

    @property
    def line(self) -> int | None:
        """The line of the first problem."""
        return self.problems[0].line

    @property
    def key(self) -> str | None:
        """The key of the first problem."""
        return self.problems[0].key

    @property
    def message(self) -> str:
        """The words of the first problem."""
        return self.problems[0].message
