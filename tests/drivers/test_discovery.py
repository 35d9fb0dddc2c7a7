"""Paths and globs become the sockets that are there, whatever else lies beside them."""

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aerostat.drivers.sockets.discovery import SocketFinder


@contextmanager
def sockets(*paths: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(path))
        yield


def test_a_glob_finds_sockets_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "log.qmp").write_text("not a socket")
    (tmp_path / "dir.qmp").mkdir()
    (tmp_path / "dangling.qmp").symlink_to("nowhere")
    with sockets(tmp_path / "b.qmp", tmp_path / "a.qmp", tmp_path / "c.other"):
        found = SocketFinder([str(tmp_path / "*.qmp")]).find()
        assert found == (tmp_path / "a.qmp", tmp_path / "b.qmp")


def test_one_socket_under_two_names_is_one_vm(tmp_path: Path) -> None:
    with sockets(tmp_path / "a.qmp"):
        (tmp_path / "link.qmp").symlink_to("a.qmp")
        pattern = str(tmp_path / "*.qmp")
        assert SocketFinder([pattern, pattern, str(tmp_path / "a.qmp")]).find() == (
            tmp_path / "a.qmp",
        )


def test_globs_reach_into_directories(tmp_path: Path) -> None:
    with sockets(tmp_path / "x/qmp", tmp_path / "y/z/qmp"):
        assert SocketFinder([str(tmp_path / "*/qmp")]).find() == (tmp_path / "x/qmp",)
        assert len(SocketFinder([str(tmp_path / "**/qmp")]).find()) == 2


def test_a_path_with_a_bracket_is_taken_as_it_stands(tmp_path: Path) -> None:
    with sockets(tmp_path / "vm[1].qmp"):
        path = tmp_path / "vm[1].qmp"
        assert SocketFinder([str(path)]).find() == (path,)


def test_sockets_that_come_and_go_are_seen_so(tmp_path: Path) -> None:
    finder = SocketFinder([str(tmp_path / "*.qmp")])
    assert finder.find() == ()
    with sockets(tmp_path / "a.qmp"):
        assert finder.find() == (tmp_path / "a.qmp",)
        (tmp_path / "a.qmp").unlink()
        assert finder.find() == ()
