"""Requests to one VM's API: the only module that knows the HTTP library."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from aerostat.drivers.sockets.errors import (
    NoAnswerError,
    NotConnectedError,
    NotListeningError,
    RefusedError,
    SessionError,
    ViolationError,
)
from aerostat.drivers.sockets.knock import knock, peer_pid

# Both servers take ten connections in all, and serve one request after the other.
_LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=1)
_SENDING = "http11.send_request_headers.started"
_TEXT_CHARS_MAX = 500


class ApiRefusedError(RefusedError):
    """The API answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{text} (HTTP {status})")
        self.status = status
        self.text = text


class ApiSession:
    """One VM's API, from the first request until it is closed.

    Args:
        path: the socket.
        base: what stands before every path.
        pid: the process that listens; another one in its place is another VM.
    """

    def __init__(self, path: Path, *, base: str = "", pid: int | None = None) -> None:
        self.path = path
        self.pid = pid
        transport = httpx.AsyncHTTPTransport(uds=str(path), limits=_LIMITS)
        self._client = httpx.AsyncClient(
            transport=transport,
            base_url=f"http://localhost{base}",
            timeout=None,  # noqa: S113 - each request has one deadline for all of it
            trust_env=False,
        )

    @classmethod
    def open(cls, path: Path, *, base: str = "") -> "ApiSession":
        """Find out whether somebody listens; does not wait.

        Raises:
            NotListeningError: nobody does.
            NotConnectedError: somebody may, and cannot be reached.
        """
        with knock(path) as knocking:
            return cls(path, base=base, pid=peer_pid(knocking))

    async def get(self, path: str, *, deadline_s: float | None) -> object:
        """Ask for something and return the untrusted answer.

        Raises:
            NotListeningError, NotConnectedError, NoAnswerError, ApiRefusedError, ViolationError.
        """
        response = await self._request("GET", path, None, deadline_s)
        try:
            answer: object = response.json()
        except ValueError as error:
            raise ViolationError(f"the answer to GET {path} is not JSON") from error
        return answer

    async def send(
        self, method: str, path: str, body: Mapping[str, object] | None, *, deadline_s: float | None
    ) -> None:
        """Have something done; a return means that the API said yes.

        Raises:
            NotListeningError, NotConnectedError, NoAnswerError, ApiRefusedError.
        """
        await self._request(method, path, body, deadline_s)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.aclose()

    async def _request(
        self, method: str, path: str, body: Mapping[str, object] | None, deadline_s: float | None
    ) -> httpx.Response:
        sent: list[str] = []

        async def trace(name: str, _info: Mapping[str, Any]) -> None:
            if name == _SENDING:
                sent.append(name)

        try:
            async with asyncio.timeout(deadline_s):
                response = await self._client.request(
                    method, path, json=body, extensions={"trace": trace}
                )
        except TimeoutError as error:
            text = f"no answer to {method} {path} within {deadline_s:g} s"
            raise (NoAnswerError if sent else NotConnectedError)(text) from error
        except httpx.ConnectError as error:
            raise self._unconnected(error) from error
        except httpx.HTTPError as error:
            text = f"the connection ended before the answer to {method} {path}: {error!r}"
            raise (NoAnswerError if sent else NotConnectedError)(text) from error
        self._check_peer(response)
        if response.is_error:
            raise ApiRefusedError(response.status_code, _error_text(response))
        return response

    def _unconnected(self, error: httpx.ConnectError) -> SessionError:
        if not self.path.exists():
            gone = NotListeningError(f"{self.path}: no such socket")
            gone.__cause__ = FileNotFoundError(str(self.path))
            return gone
        return NotListeningError(f"{self.path}: {error}")

    def _check_peer(self, response: httpx.Response) -> None:
        """See to it that it is still the same process that answers."""
        connected = response.extensions["network_stream"].get_extra_info("socket")
        if connected is not None and peer_pid(connected) != self.pid:
            raise NotListeningError(f"{self.path}: another process listens there now")


def _error_text(response: httpx.Response) -> str:
    """The error's own words: a list of causes, an object with one message, or plain text."""
    try:
        untrusted = response.json()
    except ValueError:
        untrusted = response.text
    if isinstance(untrusted, Mapping):
        untrusted = untrusted.get("fault_message", untrusted)
    if isinstance(untrusted, list):
        untrusted = ": ".join(str(part) for part in untrusted)
    text = str(untrusted).strip() or response.reason_phrase
    return text[:_TEXT_CHARS_MAX]
