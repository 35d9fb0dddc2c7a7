"""docs/logs.md lists every event the code logs, with its level and keys, and nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
Events = dict[str, tuple[str, tuple[str, ...]]]
"""Event name: level, sorted keys."""


def events_of_page() -> Events:
    events: Events = {}
    for line in (ROOT / "docs" / "logs.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and (name := re.fullmatch(r"`(\w+)`", cells[0])):
            assert name[1] not in events, f"{name[1]} is listed twice"
            events[name[1]] = (cells[1], tuple(sorted(re.findall(r"`(\w+)`", cells[2]))))
    return events


def events_of_code() -> Events:
    events: Events = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(path.read_text())
        if "structlog" in _imports(tree):
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    events |= dict(_logged(function))
        events |= dict(_written(tree))
    return events


def _imports(tree: ast.Module) -> set[str]:
    imports = (node for node in tree.body if isinstance(node, ast.Import))
    return {alias.name for node in imports for alias in node.names}


def _logged(function: ast.AST) -> Iterator[tuple[str, tuple[str, tuple[str, ...]]]]:
    """Calls such as ``log.info("name", key=...)``; ``**told`` is looked up in the function."""
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in LEVELS and node.args:
            name = node.args[0]
            assert isinstance(name, ast.Constant), f"line {node.lineno}: an event name is a literal"
            keys = [keyword.arg or "" for keyword in node.keywords if keyword.arg is not None]
            for keyword in node.keywords:
                if keyword.arg is None:
                    keys += _keys_of_dict(function, keyword.value)
            yield str(name.value), (node.func.attr, tuple(sorted(keys)))


def _keys_of_dict(function: ast.AST, spread: ast.expr) -> list[str]:
    assert isinstance(spread, ast.Name)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            (target,) = node.targets
            if isinstance(target, ast.Name) and target.id == spread.id:
                return [str(k.value) for k in node.value.keys if isinstance(k, ast.Constant)]
    raise AssertionError(f"line {spread.lineno}: {spread.id} is not a dict written down here")


def _written(tree: ast.Module) -> Iterator[tuple[str, tuple[str, tuple[str, ...]]]]:
    """Lines written by hand: dicts with a literal ``"event"`` that are made into JSON."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "json.dumps"):
            continue
        for argument in node.args:
            if isinstance(argument, ast.Dict):
                keys = [k.value for k in argument.keys if isinstance(k, ast.Constant)]
                if "event" in keys:
                    name = argument.values[keys.index("event")]
                    assert isinstance(name, ast.Constant)
                    rest = sorted(str(key) for key in keys if key != "event")
                    yield str(name.value), ("", tuple(rest))


def test_page_and_code_agree() -> None:
    assert events_of_page() == events_of_code()


def test_the_scan_finds_what_there_is() -> None:
    """A scan that finds nothing would agree with an empty page."""
    events = events_of_code()
    assert len(events) >= 18
    assert events["target"][1] == ("actual_bytes", "guest", "reason", "target_bytes", "words")
    assert "log_lines_dropped" in events
