"""``aerostat set|hold|unhold|release|reclaim``: what an operator says to the running daemon."""

import json
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any

import typer

from aerostat.cli.asked import Ca, Daemon, SocketPath, Url, guest_path
from aerostat.cli.options import Output, OutputFormat
from aerostat.config.values import read_guest_amount, read_size
from aerostat.units import parse_duration

Vm = Annotated[str, typer.Argument(metavar="VM", help="Its name, or its id.")]
For = Annotated[
    str | None,
    typer.Option("--for", metavar="DURATION", help="For so long (10m, 1h); else until unhold."),
]


def set_limits(
    vm: Vm,
    least: Annotated[
        str | None, typer.Option("--min", help="Its guarantee: 1GiB, 33%, or default.")
    ] = None,
    most: Annotated[
        str | None, typer.Option("--max", help="The most it may hold: 4GiB, 80%, or default.")
    ] = None,
    weight: Annotated[
        str | None, typer.Option(help="Its share when there is not enough: 1 to 10000, or default.")
    ] = None,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Set a VM's limits over the configuration's, until they are set to default."""
    given = {"min": least, "max": most, "weight": weight}
    body: dict[str, Any] = {
        name: None if value == "default" else value
        for name, value in given.items()
        if value is not None
    }
    if not body:
        raise typer.BadParameter("say what to set: --min, --max or --weight")
    if isinstance(body.get("weight"), str):
        if not body["weight"].isdecimal():
            raise typer.BadParameter(
                f"{body['weight']!r} is no whole number", param_hint="--weight"
            )
        body["weight"] = int(body["weight"])
    for name in ("min", "max"):
        if body.get(name) is not None:
            _checked(read_guest_amount, body[name], f"--{name}")
    words = ", ".join(f"{name} {value or 'as configured'}" for name, value in body.items())
    _post(Daemon(socket, url, ca), output, guest_path(vm, "limits"), body, f"{vm}: {words}")


def hold(
    vm: Vm,
    for_: For = None,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Take nothing from a VM; what it needs it still gets."""
    words = f"{vm} keeps what it has{_until(for_)}"
    _post(Daemon(socket, url, ca), output, guest_path(vm, "hold"), _for(for_), words)


def unhold(
    vm: Vm,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """End a hold or a release."""
    _post(
        Daemon(socket, url, ca),
        output,
        guest_path(vm, "unhold"),
        {},
        f"{vm} is balanced like the others",
    )


def release(
    vm: Annotated[str | None, typer.Argument(metavar="VM", help="Its name, or its id.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every VM.")] = False,
    for_: For = None,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Give a VM its max now, as far as the host has it, and take nothing from it."""
    if (vm is None) != every:
        raise typer.BadParameter("name one VM, or say --all")
    path = "/v1/release" if vm is None else guest_path(vm, "release")
    who = "every VM" if vm is None else vm
    _post(Daemon(socket, url, ca), output, path, _for(for_), f"{who} gets its max{_until(for_)}")


def reclaim(
    size: Annotated[str, typer.Argument(help="How much is to be free on the host: 8GiB.")],
    for_: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="Keep it free for so long.")
    ] = "10m",
    owner: Annotated[
        str | None,
        typer.Option(help="Whom it is for: a VM to come, or a name; a second time replaces it."),
    ] = None,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Make memory free on the host, beyond its reserve, from what VMs can spare."""
    _checked(read_size, size, "SIZE")
    _for(for_)
    words = f"{size} is kept free for {for_}; aerostat status says how far it has come"
    body = {"size": size, "for": for_, **({} if owner is None else {"owner": owner})}
    _post(Daemon(socket, url, ca), output, "/v1/reclaim", body, words)


def _post(daemon: Daemon, output: OutputFormat, path: str, body: Any, words: str) -> None:
    with closing(daemon):
        answer = daemon.post(path, body)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(answer, indent=2))
        return
    note = ""
    if answer["mode"] != "enforce":
        note = f" (once it enforces: the daemon is in mode {answer['mode']}, and sends nothing)"
    typer.echo(words + note)


def _checked(read: Callable[[str], object], text: str, name: str) -> None:
    """What the daemon would refuse is told here, in words for people."""
    try:
        read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from error


def _for(for_: str | None) -> dict[str, str]:
    if for_ is None:
        return {}
    _checked(parse_duration, for_, "--for")
    return {"for": for_}


def _until(for_: str | None) -> str:
    return " until you say unhold" if for_ is None else f" for {for_}"
