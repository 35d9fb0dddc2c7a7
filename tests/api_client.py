"""One HTTP request over a Unix socket, written out by hand.

So that drivers are not tested against the library that they are made with.
"""

import asyncio
import json
from pathlib import Path

from deadlines import PATIENCE_S


async def request(socket: Path, method: str, path: str, body: object = None) -> tuple[int, object]:
    """Send it on a connection of its own; returns the status and the parsed body."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    payload = b"" if body is None else json.dumps(body).encode()
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Accept: application/json",
        "Connection: close",
    ]
    if payload:
        head += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    writer.write("\r\n".join([*head, "", ""]).encode() + payload)
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer_head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            lengths = [
                int(line.partition(":")[2])
                for line in answer_head
                if line.lower().startswith("content-length:")
            ]
            content = await reader.readexactly(lengths[0]) if lengths else b""
    finally:
        writer.close()
    return int(answer_head[0].split()[1]), json.loads(content) if content else None
