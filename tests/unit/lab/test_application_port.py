"""What redis-benchmark prints of a chunk of requests."""

import pytest

from aerostat.lab.application.port import parse_chunk
from aerostat.lab.machine.errors import MachineError

ROWS = "SET,9000.5,0.4,0.1,0.3,0.8,12.5,20.0;GET,9500.1,0.3,0.1,0.2,0.5,2.0,9.0;"


def test_the_worse_of_reading_and_writing_counts() -> None:
    chunk = parse_chunk({"event": "chunk", "requests": 4000, "csv": ROWS})
    assert chunk.requests == 4000
    assert chunk.p99_s == pytest.approx(0.0125)


@pytest.mark.parametrize(
    "said",
    [
        {"requests": 4000, "csv": ""},
        {"requests": 4000, "csv": "SET,many;"},
        {"requests": 4000},
        {"requests": 4000, "csv": "SET,1,2;"},
        {"csv": ROWS},
    ],
)
def test_what_it_does_not_print_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(MachineError, match="not what redis-benchmark prints"):
        parse_chunk(said)
