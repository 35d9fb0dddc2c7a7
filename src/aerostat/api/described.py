"""What the API answers, for its OpenAPI document: the JSON schemas that the package has anyway.

Answers are written by hand, once a round; that they are as described is for the tests to see.
"""

import json
from functools import cache
from importlib import resources
from typing import Any

from fastapi import FastAPI

Schema = dict[str, Any]
_COMPONENTS = "#/components/schemas/"
_NAMES = (
    "state",
    "events",
    "explain",
    "config",
    "command",
    "history",
    "admission",
    "doctor",
    "techniques",
)
_OWN: Schema = {
    "problem": {
        "type": "object",
        "properties": {"detail": {"type": "string", "description": "what is wrong, in words"}},
        "required": ["detail"],
    },
    "health": {
        "type": "object",
        "properties": {"healthy": {"type": "boolean"}},
        "required": ["healthy"],
        "additionalProperties": False,
    },
    "sparklines": {
        "type": "object",
        "description": "what each VM held, by its id, a point in half a minute, oldest first",
        "additionalProperties": {"type": "array", "items": {"type": ["number", "null"]}},
    },
}


def answers(name: str, words: str = "Here it is") -> dict[int | str, Schema]:
    """How a path answers when all is well."""
    return {200: {"description": words, **content(name)}}


def content(name: str) -> Schema:
    """A body of JSON that one of the components describes."""
    return {"content": {"application/json": {"schema": {"$ref": _COMPONENTS + name}}}}


def describe(app: FastAPI) -> None:
    """Put the schemas into the application's document."""
    generated = app.openapi

    def openapi() -> Schema:
        is_new = app.openapi_schema is None
        document: Schema = generated()
        if is_new:
            document.setdefault("components", {}).setdefault("schemas", {}).update(components())
        return document

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI says it is done


@cache
def components() -> Schema:
    """All of them, by name; parts of a document are called after it, such as ``state_guest``."""
    found = dict(_OWN)
    for name in _NAMES:
        text = resources.files("aerostat.api").joinpath(f"{name}.schema.json").read_text("utf-8")
        whole = json.loads(text)
        parts = whole.pop("$defs", {})
        # References are of the document they stand in, which is another one here.
        found[name] = _moved({k: v for k, v in whole.items() if k not in {"$schema", "$id"}}, name)
        found |= {f"{name}_{part}": _moved(schema, name) for part, schema in parts.items()}
    return found


def _moved(schema: Any, name: str) -> Any:
    if isinstance(schema, dict):
        return {
            key: value.replace("#/$defs/", f"{_COMPONENTS}{name}_")
            if key == "$ref"
            else _moved(value, name)
            for key, value in schema.items()
        }
    return [_moved(one, name) for one in schema] if isinstance(schema, list) else schema
