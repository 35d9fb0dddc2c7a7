"""Every schema is a good one, is on docs/schemas.md, and describes what the verbs really print."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aerostat.units import MIB
from api.live import Live, live
from daemon_process import aerostat
from docs.generated import page, writer

SCHEMAS = {path.name: schema for path, schema in writer("schemas").schemas()}


def test_the_page_is_as_the_schemas_are() -> None:
    assert page("schemas.md") == writer("schemas").schemas_page(), "run script/docs"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_it_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_settings() -> None:
    checked("config", aerostat("config", "show", "-o", "json").stdout)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("h"), names=["ada"]) as one:
        yield one


def test_what_a_running_daemon_is_asked(host: Live) -> None:
    socket = ("--socket", str(host.socket), "-o", "json")
    told = checked("command", aerostat("hold", "ada", "--for", "1h", *socket).stdout)
    assert told["outcome"] == "accepted"
    host.until(lambda: "order" in state_of(host)["guests"][0], "it is held")
    state = checked("state", aerostat("status", *socket).stdout)
    (guest,) = state["guests"]
    assert guest["max_bytes"] >= 512 * MIB
    config = checked("config", aerostat("config", "show", *socket).stdout)
    assert config["source"] == f"the daemon at {host.socket}"
    checked("events", aerostat("events", *socket).stdout)
    checked("explain", aerostat("explain", "ada", *socket).stdout)
    one = json.loads(aerostat("show", "ada", *socket).stdout)
    described = {**SCHEMAS["state.schema.json"], "$ref": "#/$defs/guest"}
    for rest in ("properties", "required"):
        described.pop(rest)
    Draft202012Validator(described).validate(one)


def test_a_state_that_is_wrong_is_not_taken(host: Live) -> None:
    state = state_of(host)
    state["guests"][0]["actual_bytes"] = -1
    assert not Draft202012Validator(SCHEMAS["state.schema.json"]).is_valid(state)


def state_of(host: Live) -> dict[str, Any]:
    with host.client() as client:
        told: dict[str, Any] = client.get("/v1/state").json()
        return told


def checked(name: str, text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    Draft202012Validator(SCHEMAS[f"{name}.schema.json"]).validate(document)
    return document
