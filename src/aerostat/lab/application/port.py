"""The host's end of an application's port: orders go in, chunks come out."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aerostat.lab.application.found import Chunk
from aerostat.lab.machine.errors import MachineError

READY_S = 180.0
FILL_S = 300.0
GRACE_S = 180.0
"""Beyond its time a load may take so long: a chunk under way is finished."""
_P99 = 6  # of the columns that redis-benchmark prints: test, rps, avg, min, p50, p95, p99, max


class ApplicationPort:
    """Talks to one guest's application."""

    def __init__(self, guest: str, socket: Path) -> None:
        self.guest = guest
        self._socket = socket
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Connect, and wait until the application answers.

        Raises:
            MachineError: it does not.
        """
        self._reader, self._writer = await asyncio.open_unix_connection(str(self._socket))
        # What it said before we came is lost: so it is asked.
        self._order("hello")
        await self._until("ready", READY_S)

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()

    async def fill(self, keys: int) -> None:
        """Begin anew with data of up to so many keys.

        Raises:
            MachineError: that takes far too long, or the guest is gone.
        """
        self._order(f"fill {keys}")
        await self._until("filled", FILL_S)

    async def load(self, keys: int, seconds: float, turn: int) -> list[Chunk]:
        """Read and write for so long; returns what was completed.

        Raises:
            MachineError: it does not come to an end, or the guest is gone.
        """
        self._order(f"load {keys} {seconds:.0f} {turn}")
        return await self._until("done", seconds + GRACE_S)

    def _order(self, words: str) -> None:
        assert self._writer is not None, "opened first"
        self._writer.write(words.encode() + b"\n")

    async def _until(self, event: str, deadline_s: float) -> list[Chunk]:
        chunks: list[Chunk] = []
        try:
            async with asyncio.timeout(deadline_s):
                while (said := await self._line())["event"] != event:
                    if said["event"] == "chunk":
                        chunks.append(parse_chunk(said))
        except TimeoutError as error:
            raise MachineError(
                f"{self.guest}: its application did not say {event!r} in {deadline_s:.0f} s"
            ) from error
        return chunks

    async def _line(self) -> dict[str, Any]:
        assert self._reader is not None, "opened first"
        line = await self._reader.readline()
        if not line:
            raise MachineError(f"{self.guest}: its application's port is closed: is it gone?")
        try:
            said = json.loads(line)
            return said if isinstance(said, dict) and "event" in said else {"event": ""}
        except ValueError:
            return {"event": ""}  # the rest of a line whose beginning nobody read


def parse_chunk(said: dict[str, Any]) -> Chunk:
    """Read a chunk's line; rows of redis-benchmark end with a semicolon.

    Raises:
        MachineError: it is not what redis-benchmark prints.
    """
    rows = [row.split(",") for row in str(said.get("csv", "")).split(";") if row]
    try:
        p99_s = max(float(row[_P99]) for row in rows) / 1000
        return Chunk(requests=int(said["requests"]), p99_s=p99_s)
    except (ValueError, IndexError, KeyError) as error:
        raise MachineError(f"this is not what redis-benchmark prints: {said!r}") from error
