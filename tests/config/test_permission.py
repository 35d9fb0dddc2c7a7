import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from aerostat.config import ConfigError, load_config

NOBODY = 65534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed to all but its user."""
    folder = Path(tempfile.mkdtemp(prefix="aerostat-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _load_as_nobody(path: Path, answers: Connection) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)  # root may read anything
    try:
        load_config(path)
    except ConfigError as error:
        answers.send(str(error))
    else:
        answers.send("it was read")


def test_a_file_without_permission_says_so(open_folder: Path) -> None:
    """A daemon started by another user must name the cause, not 'cannot start'."""
    path = open_folder / "secret.toml"
    path.write_text('mode = "observe"\n')
    path.chmod(0)
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_load_as_nobody, args=(path, theirs))
    child.start()
    assert ours.poll(20), "the child did not answer"
    answer = ours.recv()
    child.join(20)
    assert child.exitcode == 0
    assert answer == f"{path}: this user may not read it; allow it with chmod or chown"
