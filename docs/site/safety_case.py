"""Writes docs/explanation/safety-case.md from docs/data/hazards.toml and the code's own words.

``python docs/site/safety_case.py > docs/explanation/safety-case.md``, which ``script/docs`` does.
"""

import ast
import sys
import tomllib
from pathlib import Path
from typing import Any

from aerostat.engine.params import GuardRule
from aerostat.sim.scenario.read import load_scenarios

ROOT = Path(__file__).resolve().parents[2]

_HEAD = """# Safety case

Written by `script/docs` from `docs/data/hazards.toml`; a test checks that every rule, scenario and
test named here exists, and that every rule of the guard is named. A balancer can do more harm than
the shortage it cures. For each way in which it can: what keeps it from happening, and what shows
that. Each rule of the guard has a scenario that **fails when the rule is switched off**
([what each rule is for](../incidents.md#what-each-rule-of-the-guard-is-for)).

Beside what is named below: ten thousand simulated guest-hours in which everything goes wrong
(`aerostat.sim.chaos`), a state machine that plays events in any order
(`tests/property/test_engine_machine.py`), and invariants that are checked in every round, in
production too. What is not covered is on [its own page](limits.md).
"""


def hazards() -> list[dict[str, Any]]:
    """All of them, as declared."""
    text = (ROOT / "docs" / "data" / "hazards.toml").read_text("utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["hazard"]
    return found


def guard_rules() -> dict[str, str]:
    """Every rule of the guard, in the words beside it in the code."""
    source = (ROOT / "src/aerostat/engine/params.py").read_text("utf-8")
    comments = {}
    for line in source.splitlines():
        name, is_rule, rest = line.strip().partition(' = "')
        if is_rule and name.isupper() and "#" in rest:
            comments[rest.split('"')[0]] = rest.split("#", 1)[1].strip()
    return {rule.value: comments[rule.value] for rule in GuardRule}


def safety_case() -> str:
    """The whole page."""
    titles = {name: one.title for name, one in load_scenarios(ROOT / "scenarios").items()}
    rules = guard_rules()
    parts = [_HEAD]
    for number, hazard in enumerate(hazards(), 1):
        parts.append(_section(number, hazard, rules, titles))
    return "\n".join(parts)


def _section(
    number: int, hazard: dict[str, Any], rules: dict[str, str], titles: dict[str, str]
) -> str:
    lines = [f"## H{number}. {hazard['name']}", "", hazard["harm"], "", "**What prevents it**", ""]
    lines += [f"- Rule `{rule}`: {rules[rule]}." for rule in hazard.get("rules", [])]
    if "also" in hazard:
        lines.append(f"- {hazard['also']}")
    lines += ["", "**What shows it**", ""]
    for name in hazard.get("scenarios", []):
        lines.append(f"- Scenario [{titles[name]}](../../scenarios/{name}.toml)")
    for test in hazard["tests"]:
        path, _, name = test.partition("::")
        lines.append(f"- Test {_sentence(name)}[`{path}`](../../tests/{path})")
    return "\n".join(lines) + "\n"


def _sentence(name: str) -> str:
    return f"*{name.removeprefix('test_').replace('_', ' ')}*, " if name else ""


def is_there(test: str) -> bool:
    """Whether a test file has a test of this name; without a name, whether it is there."""
    path, _, name = test.partition("::")
    file = ROOT / "tests" / path
    if not file.is_file() or not name:
        return file.is_file()
    tree = ast.parse(file.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(isinstance(node, kinds) and node.name == name for node in ast.walk(tree))


if __name__ == "__main__":
    sys.stdout.write(safety_case())
