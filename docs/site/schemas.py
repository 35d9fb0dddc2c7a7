"""Writes docs/schemas.md from the JSON schemas in the package; ``script/docs`` does it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "aerostat"

_HEAD = """# JSON documents

Written by `script/docs` from the schemas (JSON Schema, draft 2020-12) that come with the package; a
test compares. Every reading verb prints one document with `-o json`; its key `schema` says which.
Sizes are bytes, durations seconds, shares 0 to 1, times UTC. **What is not known is absent, never
0.** Keys may be added to a document; what is described here keeps its meaning, and a change that
breaks it has another number.

The [HTTP API](api.md) describes itself: `GET /v1/openapi.json`.
"""


def schemas() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every schema of the package, with its file."""
    for path in sorted(SOURCE.rglob("*.schema.json"), key=lambda one: one.name):
        yield path, json.loads(path.read_text("utf-8"))


def schemas_page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(path, schema) for path, schema in schemas())])


def _section(path: Path, schema: dict[str, Any]) -> str:
    identity = schema["properties"]["schema"]["const"]
    required = set(schema.get("required", ()))
    link = f"[{path.name}](../{path.relative_to(ROOT).as_posix()})"
    lines = [
        f"## `{identity}`",
        "",
        f"{schema['title']}. {schema['description']} Schema: {link}.",
        "",
        "| key | always there | what it is |",
        "|---|---|---|",
    ]
    for key, about in schema["properties"].items():
        lines.append(f"| `{key}` | {'yes' if key in required else ''} | {_words(about)} |")
    return "\n".join(lines) + "\n"


def _words(about: dict[str, Any]) -> str:
    said = about.get("description")
    if "const" in about:
        kind = f"`{about['const']}`"
    elif "enum" in about:
        kind = ", ".join(f"`{value}`" for value in about["enum"])
    elif "$ref" in about:
        kind = str(about["$ref"]).rsplit("/", 1)[-1]
    else:
        kinds = about.get("type", "any")
        kind = kinds if isinstance(kinds, str) else " or ".join(kinds)
    return kind if said is None else f"{kind}: {said}".replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(schemas_page())
