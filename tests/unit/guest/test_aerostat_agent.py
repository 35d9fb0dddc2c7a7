"""The agent that runs in guests: for old Pythons too, honest about what its kernel lacks."""

import ast
import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.drivers.agent.lines import LineKind, parse_line
from aerostat.guest import aerostat_agent
from aerostat.guest.aerostat_agent import (
    Agent,
    Kernel,
    Port,
    Stream,
    arm_triggers,
    number_after,
    vsock_to,
)

SOURCE = Path(aerostat_agent.__file__).read_text(encoding="utf-8")
MEMINFO = (
    "MemTotal: 1000 kB\nMemFree: 300 kB\nMemAvailable: 500 kB\n"
    "Buffers: 1 kB\nCached: 20 kB\nSwapCached: 3 kB\nSwapTotal: 64 kB\nSwapFree: 60 kB\n"
)
VMSTAT = "pgpgin 7\npswpin 2\npswpout 3\npgmajfault 4\nworkingset_refault_file 5\noom_kill 6\n"
PRESSURE = (
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=900\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=800\n"
)


def proc(directory: Path, *, with_pressure: bool = True) -> str:
    (directory / "meminfo").write_text(MEMINFO)
    (directory / "vmstat").write_text(VMSTAT)
    if with_pressure:
        (directory / "pressure").mkdir()
        (directory / "pressure" / "memory").write_text(PRESSURE)
    return str(directory)


def test_it_is_written_for_python_3_6_and_needs_the_standard_library_alone() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 6))
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert imported <= sys.stdlib_module_names


def test_figures_are_bytes_and_counts_by_the_names_of_the_protocol(tmp_path: Path) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    assert Kernel(proc(tmp_path)).figures() == {
        "total_bytes": 1000 << 10,
        "available_bytes": 500 << 10,
        "free_bytes": 300 << 10,
        "cache_bytes": 24 << 10,
        "swap_total_bytes": 64 << 10,
        "swap_free_bytes": 60 << 10,
        "swap_in_bytes": 2 * page,
        "swap_out_bytes": 3 * page,
        "major_faults": 4,
        "refaults": 5,
        "oom_kills": 6,
        "some_total_us": 900,
        "full_total_us": 800,
    }


def test_what_a_kernel_does_not_have_is_left_out(tmp_path: Path) -> None:
    kernel = Kernel(proc(tmp_path, with_pressure=False))
    (tmp_path / "vmstat").write_text("pgmajfault 4\n")
    figures = kernel.figures()
    assert figures["major_faults"] == 4
    assert not {"some_total_us", "oom_kills", "swap_in_bytes", "refaults"} & figures.keys()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"pswpin 5\n", 5),
        (b"a 1\npswpin 6\n", 6),
        (b"xpswpin 6\n", -1),
        (b"a 1\npswpin \n", -1),
        (b"a 1\npswpin -3\n", -1),
        (b"", -1),
    ],
)
def test_a_number_is_found_at_the_start_of_its_line_only(text: bytes, found: int) -> None:
    assert number_after(text, b"pswpin ") == found


def test_a_turn_writes_a_line_that_the_host_understands(tmp_path: Path) -> None:
    ours, port = os.pipe()
    try:
        Agent(Port(port), Kernel(proc(tmp_path)), {}, 60.0).turn()
        line = parse_line(os.read(ours, 4096).rstrip(b"\n"))
    finally:
        os.close(ours)
        os.close(port)
    assert line is not None
    assert (line.kind, line.triggers, line.figures.refaults) == (LineKind.FIGURES, 0, 5)


class Said(aerostat_agent.Host):
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def send(self, line: bytes) -> None:
        self.lines.append(line)


@contextlib.contextmanager
def urgent_file() -> Iterator[int]:
    """A file that polls as a trigger does that has fired: a connection with urgent data."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as theirs,
        server.accept()[0] as ours,
    ):
        theirs.send(b"!", socket.MSG_OOB)
        yield ours.fileno()


@pytest.mark.parametrize(
    ("fired", "told"), [(("some", "full"), "full"), (("full",), "full"), (("some",), "some")]
)
def test_triggers_that_fire_together_are_told_once_and_the_worst_of_them(
    tmp_path: Path, fired: tuple[str, ...], told: str
) -> None:
    said = Said()
    with contextlib.ExitStack() as files:
        triggers = {files.enter_context(urgent_file()): kind for kind in fired}
        agent = Agent(said, Kernel(proc(tmp_path)), triggers, 60.0)
        agent._next_s += 60.0
        agent.turn()
    (line,) = (parse_line(text.rstrip(b"\n")) for text in said.lines)
    assert line is not None
    assert (line.kind, line.trigger) == (LineKind.PRESSURE, told)


def test_where_nobody_reads_lines_are_dropped_and_it_goes_on(tmp_path: Path) -> None:
    ours, port = os.pipe()
    os.set_blocking(port, False)
    try:
        while True:
            os.write(port, b"x" * 65536)
    except BlockingIOError:
        Agent(Port(port), Kernel(proc(tmp_path)), {}, 60.0).turn()
    finally:
        os.close(ours)
        os.close(port)


def test_a_kernel_without_pressure_is_told_how_to_have_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert arm_triggers(str(tmp_path / "pressure")) == {}
    assert "psi=1" in capsys.readouterr().err


class Host:
    """The host's end of a stream, which may not be there, and may not read."""

    def __init__(self) -> None:
        self.calls = 0
        self.ends: list[socket.socket] = []
        self.is_there = True

    def connect(self) -> socket.socket:
        self.calls += 1
        if not self.is_there:
            raise ConnectionResetError
        ours, theirs = socket.socketpair()
        self.ends.append(ours)
        return theirs

    def close(self) -> None:
        for end in self.ends:
            end.close()


def test_a_stream_that_breaks_is_made_again_and_lines_meanwhile_are_dropped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    host = Host()
    host.is_there = False
    stream = Stream(host.connect)
    stream.send(b"lost\n")
    stream.send(b"lost, too\n")
    assert host.calls == 1, "it does not knock with every line"
    host.is_there = True
    stream._next_s = 0.0
    stream.send(b"first\n")
    assert host.ends[0].recv(100) == b"first\n"
    host.ends[0].close()
    stream.send(b"into the void\n")
    stream._next_s = 0.0
    stream.send(b"again\n")
    assert host.ends[1].recv(100) == b"again\n"
    stream.close()
    host.close()
    said = capsys.readouterr().err
    assert said.count("does not listen") == 1
    assert said.count("has hung up") == 1


def test_a_host_that_does_not_read_gets_whole_lines_all_the_same() -> None:
    host = Host()
    stream = Stream(host.connect)
    line = b"x" * 1999 + b"\n"
    for _ in range(2000):
        stream.send(line)
    host.ends[0].setblocking(False)
    heard = b""
    try:
        while True:
            heard += host.ends[0].recv(65536)
            stream.send(line)  # and now there is room again
            if len(heard) > 2000 * 300:
                break
    except BlockingIOError:
        pass
    assert heard.count(b"\n") > 10
    assert set(heard.split(b"\n")[:-1]) == {line[:-1]}
    stream.close()
    host.close()


def test_over_vsock_on_this_machine_where_its_kernel_can() -> None:
    local_cid, port = 1, 6361
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as listening:
        try:
            listening.bind((local_cid, port))
        except OSError as error:
            pytest.skip(f"this kernel has no vsock to itself: {error}")
        listening.listen(1)
        stream = Stream(lambda: vsock_to(port, local_cid))
        stream.send(b"over vsock\n")
        heard, _ = listening.accept()
        with heard:
            assert heard.recv(100) == b"over vsock\n"
        stream.close()
