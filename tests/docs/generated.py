"""Reaches the programs that write pages: they lie with the pages, outside of the package."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def writer(name: str) -> ModuleType:
    """The program ``docs/site/NAME.py``, as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / "site" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def page(path: str) -> str:
    """A page of the documentation."""
    return (DOCS / path).read_text("utf-8")
