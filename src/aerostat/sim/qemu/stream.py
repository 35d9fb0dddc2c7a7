"""Cuts what a client sends into JSON values: QMP has no lines, one object follows the other."""

import asyncio
import json
from collections.abc import AsyncIterator

_CHUNK_BYTES = 65536
_BUFFER_CHARS_MAX = 1 << 20


async def messages(reader: asyncio.StreamReader) -> AsyncIterator[object]:
    """Yield each value as it is complete, until the client hangs up.

    Raises:
        ValueError: what comes is not JSON.
    """
    decoder = json.JSONDecoder()
    waiting = ""
    while chunk := await reader.read(_CHUNK_BYTES):
        waiting = (waiting + chunk.decode(errors="replace")).lstrip()
        while waiting:
            try:
                value, end = decoder.raw_decode(waiting)
            except ValueError:
                if len(waiting) > _BUFFER_CHARS_MAX or not waiting.startswith("{"):
                    raise
                break  # the rest of it is still to come
            waiting = waiting[end:].lstrip()
            yield value
