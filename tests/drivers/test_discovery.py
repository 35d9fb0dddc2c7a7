"""Paths and globs become the sockets that are there, whatever else lies beside them."""

import contextlib
import glob
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aerostat.drivers.sockets.discovery import SocketFinder
from aerostat.drivers.sockets.matching import SETTLED_S, Matching


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


class Globs:
    """Counts how often a folder is gone through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._glob = glob.glob
        monkeypatch.setattr(glob, "glob", self._counted)

    def _counted(self, pattern: str, *, recursive: bool) -> list[str]:
        self.count += 1
        return self._glob(pattern, recursive=recursive)


def as_if_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is there by now counts as having been so for long."""
    now_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + int(SETTLED_S * 1e9))


def test_a_folder_that_stays_as_it_is_is_gone_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    globs, look = Globs(monkeypatch), Matching(str(tmp_path / "*.qmp"))
    with sockets(tmp_path / "a.qmp"):
        found = look.find()
        assert look.find() == found
        assert globs.count == 2  # it has just changed: its stamp is not yet to be relied on
        as_if_old(monkeypatch)
        assert [look.find() for _ in range(5)] == [found] * 5
        assert globs.count == 3


def test_whatever_changes_in_a_settled_folder_is_seen_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if_old(monkeypatch)
    look = Matching(str(tmp_path / "*.qmp"))
    with sockets(tmp_path / "a.qmp"):
        before = look.find()
        time.sleep(0.02)  # more than a tick of the kernel's clock, by which it stamps
        with sockets(tmp_path / "b.qmp"):
            assert len(look.find()) == 2
            time.sleep(0.02)
            (tmp_path / "a.qmp").unlink()
            (tmp_path / "b.qmp").rename(tmp_path / "a.qmp")  # another socket by the same name
            after = look.find()
            assert [name for _, name in after] == [name for _, name in before]
            assert after != before
            (tmp_path / "a.qmp").unlink()
            tmp_path.rename(tmp_path.with_name("elsewhere"))
            assert look.find() == ()


def test_where_a_link_leads_is_looked_at_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if_old(monkeypatch)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/a.qmp").symlink_to(tmp_path / "there")
    look = Matching(str(tmp_path / "run/*.qmp"))
    assert look.find() == ()
    with sockets(tmp_path / "there"):
        assert len(look.find()) == 1
    (tmp_path / "there").unlink()
    assert look.find() == ()
