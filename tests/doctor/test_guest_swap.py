"""What QEMU's guest agent says of a guest's swap, over a socket as QEMU has it."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aerostat.doctor.guest_swap import guest_swap_bytes, parse_swaps
from aerostat.doctor.vm_ports import VmPort
from aerostat.units import KIB

SWAPS = "Filename\tType\tSize\tUsed\tPriority\n/dev/vda2 partition 1024 0 -2\n/swap file 512 8 -3\n"
NONE = "Filename\tType\tSize\tUsed\tPriority\n"


@contextmanager
def agent(path: Path, text: str | None) -> Iterator[VmPort]:
    """An agent that has an old answer left, and reads one file, or refuses to."""

    def serve(listener: socket.socket) -> None:
        connected, _ = listener.accept()
        with connected, connected.makefile("rwb") as lines:
            for line in lines:
                told = json.loads(line.replace(b"\xff", b""))
                for answer in answers(told):
                    lines.write(answer + b"\n")
                lines.flush()

    def answers(told: dict[str, object]) -> list[bytes]:
        name, arguments = told["execute"], told.get("arguments")
        if name == "guest-sync-delimited":
            assert isinstance(arguments, dict)
            return [b'{"return": 7}', b"\xff" + json.dumps({"return": arguments["id"]}).encode()]
        if text is None:
            return [b'{"error": {"class": "CommandNotFound", "desc": "disabled"}}']
        assert name != "guest-file-open" or arguments == {"path": "/proc/swaps", "mode": "r"}
        returns: dict[object, object] = {
            "guest-file-open": 3,
            "guest-file-read": {"buf-b64": base64.b64encode(text.encode()).decode()},
            "guest-file-close": {},
        }
        return [json.dumps({"return": returns[name]}).encode()]

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield VmPort(is_open=True, socket=path)
        thread.join()


@pytest.mark.parametrize(
    ("text", "expected"), [(SWAPS, 1536 * KIB), (NONE, 0), (None, None), ("no swaps", None)]
)
def test_an_agent_tells(tmp_path: Path, text: str | None, expected: int | None) -> None:
    with agent(tmp_path / "a.qga", text) as port:
        assert asyncio.run(guest_swap_bytes(port)) == expected


def test_nobody_is_asked_where_nobody_would_answer(tmp_path: Path) -> None:
    for port in (
        None,
        VmPort(is_open=False, socket=tmp_path / "a.qga"),
        VmPort(is_open=True, socket=None),
        VmPort(is_open=True, socket=tmp_path / "gone"),
    ):
        assert asyncio.run(guest_swap_bytes(port)) is None


@pytest.mark.parametrize("text", ["", NONE + "/a file -1 0 -2\n", NONE + f"/a file {10**20} 0 1\n"])
def test_what_makes_no_sense_is_not_believed(text: str) -> None:
    with pytest.raises(ValueError, match=r"swaps|number"):
        parse_swaps(text)
