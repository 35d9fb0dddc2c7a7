"""Readers that stay open: of the file that has the store's name now, and never of a broken one."""

import shutil
import threading
from pathlib import Path

import pytest

from aerostat.store import Readers, StoreError
from aerostat.store.lending import READERS_MAX
from builders import Guest, World, params
from recorded_rounds import Recorder, remember


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "a.db", "ada", "bob")


def written(path: Path, *names: str) -> Path:
    guests = [Guest(name=name, actual_mib=300) for name in names]
    world = World(guests=guests, params=params(budget_mib=1400))
    remember(path, Recorder(world=world, was_enforced=True).rounds(3))
    return path


def test_the_same_reader_answers_again_and_sees_what_was_written_since(path: Path) -> None:
    readers = Readers(path)
    with readers.lent() as first:
        before = first.written_wall_s()
    written(path, "ada", "bob", "cleo")
    with readers.lent() as again:
        assert again is first
        assert len(again.guests()) == 3
        assert again.written_wall_s() is not None
        assert before is not None
    readers.close()


def test_who_asks_at_the_same_time_has_one_of_their_own(path: Path) -> None:
    readers = Readers(path)
    with readers.lent() as one, readers.lent() as other:
        assert one is not other
    readers.close()


def test_it_is_of_any_thread(path: Path) -> None:
    """The API's questions run in whatever thread is free."""
    readers = Readers(path)
    found: list[int] = []

    def ask() -> None:
        with readers.lent() as reader:
            found.append(len(reader.guests()))

    ask()
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [2, 2]
    readers.close()


def test_a_store_that_was_begun_anew_is_the_one_that_is_read(path: Path, tmp_path: Path) -> None:
    """A damaged file is moved aside, and the daemon goes on with another of the same name."""
    readers = Readers(path)
    with readers.lent() as old:
        assert len(old.guests()) == 2
    written(tmp_path / "new.db", "ada")
    (tmp_path / "new.db").rename(path)
    with readers.lent() as new:
        assert new is not old
        assert len(new.guests()) == 1
    readers.close()


def test_one_that_is_gone_is_told_of_and_found_when_it_comes_again(
    path: Path, tmp_path: Path
) -> None:
    readers = Readers(path)
    with readers.lent():
        pass
    aside = path.rename(tmp_path / "aside.db")
    with pytest.raises(StoreError, match="no such store"), readers.lent():
        pass
    shutil.copy(aside, path)
    with readers.lent() as reader:
        assert len(reader.guests()) == 2
    readers.close()


def test_a_reader_that_failed_is_not_lent_again(path: Path) -> None:
    readers = Readers(path)
    with pytest.raises(StoreError), readers.lent() as failed:
        raise StoreError(path, "it cannot be read: disk I/O error")
    with readers.lent() as another:
        assert another is not failed
        assert len(another.guests()) == 2
    readers.close()


def test_only_a_few_stay_open(path: Path) -> None:
    readers = Readers(path)
    lent = [readers.lent() for _ in range(READERS_MAX + 3)]
    for one in lent:
        one.__enter__()
    for one in lent:
        one.__exit__(None, None, None)
    assert len(readers._waiting) == READERS_MAX
    readers.close()
