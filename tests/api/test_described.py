"""The OpenAPI document says what is answered, docs/api.md has every path, and both are right."""

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.live import Live

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
SELF = ("GET", "/v1/openapi.json")


@pytest.fixture(scope="module")
def document(host: Live) -> dict[str, Any]:
    with host.client() as client:
        told: dict[str, Any] = client.get("/v1/openapi.json").raise_for_status().json()
    return told


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_page_has_every_path_and_method_and_no_other(document: dict[str, Any]) -> None:
    rows = re.findall(r"^\| `(GET|POST) ([^`?]+)(?:\?[^`]*)?` \|", PAGE, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == set(operations(document)) | {SELF}


def test_the_page_has_every_parameter(document: dict[str, Any]) -> None:
    for (method, path), operation in operations(document).items():
        (row,) = [
            line
            for line in PAGE.splitlines()
            if re.match(rf"\| `{method} {re.escape(path)}[?`]", line)
        ]
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                assert f"{parameter['name']}=" in row.split("`")[1], (path, parameter["name"])


def test_every_answer_of_json_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for (method, path), operation in operations(document).items():
        for status, answer in operation["responses"].items():
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            if path in {"/v1/stream", "/metrics"} and status == "200":
                assert schema is None
                continue
            assert schema, (method, path, status)
            assert schema["$ref"].removeprefix("#/components/schemas/") in schemas
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/state", "/v1/state"),
        ("/v1/host", "/v1/host"),
        ("/v1/config", "/v1/config"),
        ("/v1/sparklines", "/v1/sparklines"),
        ("/v1/events?routine=true", "/v1/events"),
        ("/v1/guests/ada", "/v1/guests/{vm}"),
        ("/v1/guests/ada/explanation", "/v1/guests/{vm}/explanation"),
        ("/v1/guests/ada/history", "/v1/guests/{vm}/history"),
        ("/healthz", "/healthz"),
    ],
)
def test_what_is_answered_is_as_described(
    host: Live, document: dict[str, Any], path: str, template: str
) -> None:
    with host.client() as client:
        host.until(lambda: bool(client.get("/v1/events").json()["events"]), "it is written")
        answer = client.get(path).raise_for_status().json()
        missing = client.get("/v1/guests/nobody").json()
    described = operations(document)["GET", template]["responses"]["200"]
    validator(document, described).validate(answer)
    assert not validator(document, described).is_valid({"something": "else"})
    problem = operations(document)["GET", "/v1/guests/{vm}"]["responses"]["404"]
    validator(document, problem).validate(missing)


def validator(document: dict[str, Any], answer: dict[str, Any]) -> Draft202012Validator:
    schema = answer["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})
