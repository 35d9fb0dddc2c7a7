"""One daemon to a store: two would tell two stories in one file."""

import os
from pathlib import Path

import pytest

from aerostat.store import StoreError, sole_writer


def test_a_second_one_is_refused_and_comes_in_once_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "a.db"
    with sole_writer(path):
        with pytest.raises(StoreError, match="another daemon writes to it"), sole_writer(path):
            pass
        with sole_writer(path.with_name("b.db")):  # another store is another matter
            pass
    with sole_writer(path):
        pass


def test_where_no_lock_can_be_made_the_store_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with sole_writer(tmp_path / "file" / "a.db"):
        pass


def test_a_process_that_is_killed_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    if (child := os.fork()) == 0:
        sole_writer(path).__enter__()
        os._exit(0)
    os.waitpid(child, 0)
    with sole_writer(path):
        pass
