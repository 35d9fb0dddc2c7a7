"""The client of a running daemon: over its Unix socket, or over TCP with a token."""

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from aerostat.config import api_socket_to_ask
from aerostat.ports.errors import AerostatError

ANSWER_S = 10.0

SocketPath = Annotated[
    Path | None,
    typer.Option("--socket", help="The daemon's socket; without one, where it is by default."),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", help="A daemon on TCP, such as https://host:9730; its token in AEROSTAT_TOKEN."
    ),
]


class UnreachableError(AerostatError):
    """No daemon answers there."""

    exit_status = 3


class RefusedError(AerostatError):
    """The daemon said no."""


class UnsafeError(AerostatError):
    """The daemon refused for safety, or because it does not enforce."""

    exit_status = 4


class Daemon:
    """Asks one daemon."""

    def __init__(self, socket: Path | None, url: str | None) -> None:
        token = os.environ.get("AEROSTAT_TOKEN", "")
        self._where = url or str(socket or api_socket_to_ask())
        transport = None if url else httpx.HTTPTransport(uds=self._where)
        self._client = httpx.Client(
            base_url=url or "http://aerostat",
            transport=transport,
            timeout=ANSWER_S,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            trust_env=False,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def get(self, path: str, **query: str) -> Any:
        """Ask for a document.

        Raises:
            UnreachableError, RefusedError, UnsafeError: there is none.
        """
        return self._answer("GET", path, params=query)

    def post(self, path: str, body: Any) -> Any:
        """Command something.

        Raises:
            UnreachableError, RefusedError, UnsafeError: it is not done.
        """
        return self._answer("POST", path, json=body)

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        try:
            response = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"{self._where}: no daemon answers ({str(error) or type(error).__name__}); is it "
                "running? (aerostat run, or: systemctl status aerostat)"
            ) from error
        if response.is_success:
            return response.json()
        raise _refusal(response)


def _refusal(response: httpx.Response) -> AerostatError:
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.text[:200] or response.reason_phrase
    if isinstance(detail, list):
        told = [f"{'.'.join(str(at) for at in one['loc'][1:])}: {one['msg']}" for one in detail]
        detail = "; ".join(told)
    if response.status_code in {409, 403}:
        return UnsafeError(detail)
    return RefusedError(detail)


def guest_path(vm: str, *rest: str) -> str:
    """The path of a VM, whatever its name holds."""
    return "/".join(["/v1/guests", quote(vm, safe=""), *rest])
