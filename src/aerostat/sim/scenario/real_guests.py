"""Which tests show an incident on real guests: read off their marks, so that no list can be wrong.

A test that boots guests for an incident is marked ``@pytest.mark.incident("R7")``. The tests are
parsed and not imported: the page is written where nobody can boot anything.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

Shown = Mapping[str, tuple[str, ...]]
"""Names of tests, as pytest takes them, by incident."""

_MARK = "pytest.mark.incident"


def find_tests(folder: Path) -> Shown:
    """Find the marked tests below ``folder``, a folder of a checkout, by file and then by line."""
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted(folder.rglob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            name = f"{file.relative_to(folder.parent.parent).as_posix()}::{node.name}"
            for incident in _marks(node):
                found[incident] = (*found.get(incident, ()), name)
    return found


def _marks(test: ast.FunctionDef) -> list[str]:
    return [
        str(ast.literal_eval(call.args[0]))
        for call in test.decorator_list
        if isinstance(call, ast.Call) and ast.unparse(call.func) == _MARK
    ]
