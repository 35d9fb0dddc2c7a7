"""The host's kernel as techniques see it: files of /sys and /proc, and a few of its tools."""

import errno
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from aerostat.host.techniques.technique import TechniqueError

_FELL_SHORT = (errno.EAGAIN, errno.EBUSY)

TOOL_S_MAX = 600.0
"""swapoff reads everything back: gigabytes from a slow disk take minutes."""


class Kernel:
    """Reads and writes below ``root``; tools act on the real host."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """Where a file lies whose absolute name is ``name``, be it below ``root`` already."""
        if self.root != Path("/") and Path(name).is_relative_to(self.root):
            return Path(name)
        return self.root / name.lstrip("/")

    def read(self, name: str) -> str:
        """The text of a file, stripped.

        Raises:
            TechniqueError: it is missing or may not be read.
        """
        try:
            return self.path(name).read_text(encoding="ascii", errors="replace").strip()
        except OSError as error:
            raise TechniqueError(f"{name} cannot be read: {error.strerror}") from error

    def read_if_any(self, name: str) -> str | None:
        """The text of a file that this kernel may not have."""
        try:
            return self.read(name)
        except TechniqueError:
            return None

    def write(self, name: str, text: str, *, may_fall_short: bool = False) -> None:
        """Write a file in one call, as the kernel wants it.

        Args:
            name: of the file.
            text: what to write.
            may_fall_short: that the kernel did less than asked for is no error.

        Raises:
            TechniqueError: the kernel refused.
        """
        try:
            # Not created where it is missing, nor read: some knobs may only be written.
            number = os.open(self.path(name), os.O_WRONLY | os.O_TRUNC)
            try:
                os.write(number, text.encode())
            finally:
                os.close(number)
        except OSError as error:
            if may_fall_short and error.errno in _FELL_SHORT:
                return
            raise TechniqueError(f"{name}: '{text}' was refused: {error.strerror}") from error

    def run(self, command: Sequence[str]) -> None:
        """Run one of the system's tools to its end.

        Raises:
            TechniqueError: it is missing, failed, or took longer than ``TOOL_S_MAX``.
        """
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=TOOL_S_MAX, check=False
            )
        except FileNotFoundError as error:
            raise TechniqueError(f"{command[0]} is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise TechniqueError(f"{' '.join(command)} took over {TOOL_S_MAX:.0f} s") from error
        if done.returncode != 0:
            said = done.stderr.strip() or f"exit status {done.returncode}"
            raise TechniqueError(f"{' '.join(command)}: {said}")


def chosen(text: str) -> str:
    """The value of a knob; where all choices are listed, the one in brackets."""
    if "[" in text:
        return text.partition("[")[2].partition("]")[0]
    return text.strip()
