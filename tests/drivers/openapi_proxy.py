"""Stands between a client and an API, and lets pass only what the API's own document allows.

Stricter than JSON Schema asks for: a field that the document does not name is refused in either
direction, and so is a status that it does not list for an operation.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h11
import yaml
from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from aerostat.sim.http_api.wire import Answer, encoded, next_request
from api_client import request as ask

_NAME = "urn:document"


class Document:
    """A Swagger 2.0 or OpenAPI 3.0 document.

    Args:
        path: the file.
        base: what stands before the document's paths on the wire.
        beyond: operations that the API has and this document does not; they pass unseen.
    """

    def __init__(
        self, path: Path, *, base: str = "", beyond: frozenset[tuple[str, str]] = frozenset()
    ) -> None:
        self._whole: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._base = base
        self._beyond = beyond
        _prepare(self._whole)
        resource = DRAFT4.create_resource(self._whole)
        self._registry: Registry[Any] = Registry().with_resource(_NAME, resource)

    def objections(
        self, method: str, path: str, body: object, status: int, answer: object
    ) -> list[str]:
        """What the document does not allow in one exchange."""
        path = path.removeprefix(self._base) if path.startswith(self._base) else ""
        if (method, path) in self._beyond:
            return []
        operation = self._whole["paths"].get(path, {}).get(method.lower())
        if operation is None:
            return [f"{method} {path} is not in the document"]
        wrong = [f"request: {text}" for text in self._wrong(self._request_schema(operation), body)]
        return wrong + self._answer_objections(operation, status, answer)

    def _answer_objections(
        self, operation: Mapping[str, Any], status: int, answer: object
    ) -> list[str]:
        responses = {str(key): value for key, value in operation["responses"].items()}
        response = responses.get(str(status), responses.get("default"))
        if response is None:
            # No error of Cloud Hypervisor's own making is in its document, but each has 500.
            return [] if status == 500 else [f"an answer of {status}"]
        schema = _schema_of(response)
        if schema is None:
            return ["a body where there is none"] if status < 400 and answer is not None else []
        return [f"answer: {text}" for text in self._wrong(schema, answer)]

    def _request_schema(self, operation: Mapping[str, Any]) -> object:
        if "requestBody" in operation:
            return _schema_of(operation["requestBody"])
        bodies = [p for p in operation.get("parameters", ()) if p.get("in") == "body"]
        return bodies[0]["schema"] if bodies and bodies[0].get("required") else None

    def _wrong(self, schema: object, value: object) -> list[str]:
        if not isinstance(schema, dict):
            return []
        errors = Draft4Validator(schema, registry=self._registry).iter_errors(value)
        return [f"{'.'.join(map(str, e.absolute_path)) or '.'}: {e.message}" for e in errors]


def _schema_of(part: Mapping[str, Any]) -> object:
    content = part.get("content")
    return part.get("schema") if content is None else content["application/json"]["schema"]


def _prepare(node: object) -> None:
    """Make references absolute, and forbid what is not named."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and "allOf" not in node:
            node.setdefault("additionalProperties", False)
        if isinstance(node.get("$ref"), str) and node["$ref"].startswith("#"):
            node["$ref"] = _NAME + node["$ref"]
        for inner in node.values():
            _prepare(inner)
    elif isinstance(node, list):
        for inner in node:
            _prepare(inner)


class Proxy:
    """A socket before another one. What it objects to is kept, and answered with 500."""

    def __init__(self, path: Path, upstream: Path, document: Document) -> None:
        self.objections: list[str] = []
        self.exchanges = 0
        self._path = path
        self._upstream = upstream
        self._document = document
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._accept, self._path)

    async def close(self) -> None:
        """Listen no more; whoever is connected is cut off."""
        self._server.close()
        self._path.unlink(missing_ok=True)
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            pass  # either side has gone, or never answered
        finally:
            self._serving.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while (wanted := await next_request(connection, reader)) is not None:
            body = wanted.json() if wanted.body else None
            status, answer = await ask(self._upstream, wanted.method, wanted.path, body)
            self.exchanges += 1
            objections = self._document.objections(wanted.method, wanted.path, body, status, answer)
            self.objections += objections
            passed = (
                Answer(status=500, body=objections)
                if objections
                else Answer(status=status, body=answer)
            )
            writer.write(encoded(connection, passed))
            await writer.drain()
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()
