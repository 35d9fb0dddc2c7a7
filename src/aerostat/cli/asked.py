"""The client of a running daemon: over its Unix socket, or over TCP with a token."""

import contextlib
import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from aerostat.places import api_socket_to_ask
from aerostat.ports.errors import AerostatError

ANSWER_S = 10.0

SILENCE_S = 60.0
"""An events stream says something every 15 seconds, if only that it is still there."""

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
Ca = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        metavar="FILE",
        help="With --url: PEM file of who signed the daemon's certificate, in place of the "
        "system's store.",
    ),
]


class UnreachableError(AerostatError):
    """No daemon answers there."""

    exit_status = 3


class RefusedError(AerostatError):
    """The daemon said no."""


class WrongUsageError(AerostatError):
    """What was asked for cannot be: the daemon says why, or nothing was sent at all."""

    exit_status = 2


class NoSuchGuestError(RefusedError):
    """The daemon knows no such VM."""


class UnsafeError(AerostatError):
    """The daemon refused for safety, because it does not enforce, or for want of a right."""

    exit_status = 4


class Daemon:
    """Asks one daemon.

    Raises:
        WrongUsageError: where it is, or what to show it, is none.
    """

    def __init__(self, socket: Path | None, url: str | None, ca: Path | None = None) -> None:
        if url is None and ca is not None:
            raise WrongUsageError("--ca goes with --url: a Unix socket shows no certificate")
        if url is not None and socket is not None:
            raise WrongUsageError("--socket and --url are two daemons: give one of them")
        token = _token()
        self._is_socket = url is None
        self._where = url or str(socket or api_socket_to_ask())
        self._client = httpx.Client(
            base_url="http://aerostat" if url is None else _checked_url(url),
            transport=httpx.HTTPTransport(uds=self._where) if url is None else None,
            verify=_trusted(url, ca),
            timeout=ANSWER_S,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            trust_env=False,  # no proxy, and no password of a file: what is trusted is above
        )

    @property
    def where(self) -> str:
        """The socket or address it is asked at."""
        return self._where

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def get(self, path: str, **query: str) -> Any:
        """Ask for a document.

        Raises:
            UnreachableError, RefusedError, WrongUsageError, UnsafeError: there is none.
        """
        return self._answer("GET", path, params=query)

    def post(self, path: str, body: Any) -> Any:
        """Command something.

        Raises:
            UnreachableError, RefusedError, WrongUsageError, UnsafeError: it is not done.
        """
        return self._answer("POST", path, json=body)

    def happened(self) -> Iterator[dict[str, Any]]:
        """Everything that happens, as it happens; first what the daemon still has in memory.

        Raises:
            UnreachableError, RefusedError, WrongUsageError, UnsafeError: it ends.
        """
        self._must_be_there()
        with self._told_errors():
            stream = self._client.stream(
                "GET", "/v1/stream", headers={"Last-Event-ID": "0"}, timeout=SILENCE_S
            )
            with stream as response:
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                yield from _happened(response.iter_lines())
        raise UnreachableError(f"{self._where}: the daemon ended the stream")

    def _must_be_there(self) -> None:
        """Say so where there is no socket at all, before anything is opened."""
        if self._is_socket and not os.path.lexists(self._where):
            raise UnreachableError(
                f"{self._where}: no daemon answers, there is none; {_advice('')}"
            )

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        self._must_be_there()
        with self._told_errors():
            response = self._client.request(method, path, **more)
        if not response.is_success:
            raise _refusal(response)
        try:
            return response.json()
        except ValueError as error:
            raise UnreachableError(
                f"{self._where}: what answers there is no Aerostat: its answer is no JSON"
            ) from error

    @contextlib.contextmanager
    def _told_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            words = str(error) or type(error).__name__
            raise UnreachableError(
                f"{self._where}: no daemon answers ({words}); {_advice(words)}"
            ) from error


def _advice(words: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return "who signed its certificate is not trusted here: name that one's with --ca FILE"
    return "is it running? (aerostat run, or: systemctl status aerostat)"


def _token() -> str:
    token = os.environ.get("AEROSTAT_TOKEN", "").strip()
    if not (token.isascii() and token.isprintable()):
        raise WrongUsageError(
            "AEROSTAT_TOKEN holds characters that cannot be sent: a token is plain ASCII in one "
            "line, such as openssl rand -hex 32 makes"
        )
    return token


def _checked_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise WrongUsageError(f"--url {text!r}: {error}; write https://host:9730") from error
    is_port = url.port is None or 0 < url.port < 65536
    if url.scheme not in {"http", "https"} or not url.host or not is_port:
        raise WrongUsageError(f"--url {text!r} is no address of a daemon: write https://host:9730")
    return url


def _trusted(url: str | None, ca: Path | None) -> ssl.SSLContext:
    """What this system trusts (its store, SSL_CERT_FILE, SSL_CERT_DIR), or one file alone."""
    if url is None or (ca is None and not url.lower().startswith("https:")):
        # Nobody shows a certificate here: reading the system's would be for nothing.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except OSError as error:
        words = "no PEM file of certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise WrongUsageError(f"--ca {ca}: {words}") from error


def _happened(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data" and kind == "happened":
            yield json.loads(value)


def _refusal(response: httpx.Response) -> AerostatError:
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.text[:200] or response.reason_phrase
    if isinstance(detail, list):
        told = [f"{'.'.join(str(at) for at in one['loc'][1:])}: {one['msg']}" for one in detail]
        detail = "; ".join(told)
    return _REFUSALS.get(response.status_code, RefusedError)(str(detail))


_REFUSALS: dict[int, type[AerostatError]] = {
    400: WrongUsageError,
    401: UnsafeError,
    403: UnsafeError,
    404: NoSuchGuestError,
    409: UnsafeError,
    422: WrongUsageError,
}


def guest_path(vm: str, *rest: str) -> str:
    """The path of a VM, whatever its name holds."""
    return "/".join(["/v1/guests", quote(vm, safe=""), *rest])
