"""The JSON Schema of result documents, as shipped with the package."""

import json
from importlib import resources

SCHEMA_NAME = "aerostat.result/1"


def result_schema() -> dict[str, object]:
    """The schema (draft 2020-12) that every result document of this version satisfies."""
    text = resources.files("aerostat.present").joinpath("result.schema.json").read_text("utf-8")
    schema = json.loads(text)
    assert isinstance(schema, dict)
    return schema
