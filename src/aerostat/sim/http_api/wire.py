"""Requests and answers as bytes of HTTP/1.1."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

import h11

_CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client wants."""

    method: str
    path: str
    body: bytes

    def json(self) -> object:
        """The body; what is no JSON, or none at all, is None."""
        try:
            parsed: object = json.loads(self.body)
        except ValueError:
            return None
        return parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What it gets. Without a body there is none, as with 204."""

    status: int
    body: object = None
    is_lost: bool = False  # it was carried out, and nobody hears of it


async def next_request(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """Read one request; None: the client hung up."""
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            return Request(method=head.method.decode(), path=head.target.decode(), body=body)
        else:
            return None


def encoded(connection: h11.Connection, answer: Answer) -> bytes:
    """Write one answer."""
    headers: Mapping[str, str] = {}
    body = b""
    if answer.body is not None:
        body = json.dumps(answer.body).encode()
        headers = {"content-type": "application/json"}
    if answer.status != 204:
        headers = {**headers, "content-length": str(len(body))}
    start = h11.Response(status_code=answer.status, headers=list(headers.items()))
    parts = [start, *([h11.Data(data=body)] if body else []), h11.EndOfMessage()]
    return b"".join(connection.send(part) or b"" for part in parts)
