"""Whatever is sent, the API answers as its OpenAPI document says, and the loop goes on."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from aerostat.api.gate import Rates
from api.live import CONTROL, READ, Live, live

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LEFT_OUT = r"^/v1/stream$"
"""It does not end by itself; tests/api/test_reading.py follows it."""


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Live]:
    # The limits on how often are for a host's peace, and would hide what is behind them.
    often = Rates(reads_per_s=1e6, reads_burst=1e6, commands_per_s=1e6, commands_burst=1e6)
    with tempfile.TemporaryDirectory() as folder, live(Path(folder), rates=often) as one:
        yield one


@pytest.fixture
def document(fuzzed: Live) -> schemathesis.BaseSchema:
    with fuzzed.client() as client:
        raw = client.get("/v1/openapi.json").raise_for_status().json()
    schema = schemathesis.openapi.from_dict(raw)
    schema.config.update(base_url=f"http://127.0.0.1:{fuzzed.port}")
    return schema.exclude(path_regex=LEFT_OUT)


schema = schemathesis.pytest.from_fixture("document")


@schema.parametrize()
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_everything_is_answered_as_documented(case: schemathesis.Case[Any], fuzzed: Live) -> None:
    rounds = fuzzed.loop.board.status.rounds
    case.call_and_validate(
        headers={"Authorization": f"Bearer {CONTROL}"},
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
        timeout=120,
    )
    status = fuzzed.loop.board.status
    assert status.failures == 0, status.failure
    assert status.rounds >= rounds


def test_after_all_of_it_the_loop_balances_on(fuzzed: Live) -> None:
    rounds = fuzzed.loop.board.status.rounds
    fuzzed.until(lambda: fuzzed.loop.board.status.rounds > rounds + 5, "rounds go on")
    assert fuzzed.loop.board.status.failures == 0
    with fuzzed.over_tcp(READ) as client:
        assert client.get("/v1/state").status_code == 200
