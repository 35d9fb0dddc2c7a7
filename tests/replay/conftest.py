"""A recording of simulated guests, made once."""

from pathlib import Path

import pytest

from replay.recordings import RECORDED, record
from simulated_daemon import simulated_rounds


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes and more, in three parts, of guests that come, go and are reset."""
    pytest.importorskip("pyarrow")
    directory = tmp_path_factory.mktemp("recorded")
    rounds = simulated_rounds(140.0, params=RECORDED.engine_params())
    return record(directory, rounds, configuration=RECORDED.stored_text())
