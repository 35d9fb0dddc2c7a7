"""Puts the page together from its parts; everything it needs is inside the one file."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from aerostat.lab.report.cards import cards
from aerostat.lab.report.facts import badges, machine_facts, notes, repeat_it, schedule_table
from aerostat.lab.report.tables import figures_table, guest_tables
from aerostat.lab.result.summary import arm_name, summaries
from aerostat.lab.techniques.classic import classic_table
from aerostat.lab.techniques.verdict import verdict_of
from aerostat.present.assets import embedded, plot_library, style
from aerostat.present.markup import Markup, escaped, join


def write_report(document: Mapping[str, Any], path: Path) -> None:
    """Write the report of a result document.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(render_report(document), encoding="utf-8")


def render_report(document: Mapping[str, Any]) -> str:
    """The report of a result document (``aerostat.result/1``) as one HTML page."""
    judged = verdict_of(document)
    parts: dict[str, str] = {
        "title": escaped(f"Aerostat {document.get('name', 'result')}: {judged.headline}"),
        "tone": judged.tone.value,
        "headline": escaped(judged.headline),
        "details": join(Markup(f"<li>{escaped(line)}</li>") for line in judged.details),
        "badges": badges(document),
        "notes": notes(document),
        "cards": cards(document),
        "techniques": classic_table(document),
        "figures": figures_table(document),
        "guests": guest_tables(document),
        "schedule": schedule_table(document),
        "machine": machine_facts(document),
        "repeat": repeat_it(document),
        "data": embedded(_plot_data(document)),
        "style": style(),
        "plot_library": plot_library(),
        "script": _asset("panels.js") + _asset("page.js"),
    }
    return Template(_asset("page.html")).substitute(parts)


def _plot_data(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, and which arms belong to which policy, titled and in the order to show."""
    policies = [
        {
            "policy": summary.policy,
            "title": summary.title,
            "arms": [
                index
                for index, arm in enumerate(document["arms"])
                if arm_name(arm) == summary.policy
            ],
        }
        for summary in summaries(document["arms"])
    ]
    return {"policies": policies, "document": document}


def _asset(name: str) -> str:
    return resources.files("aerostat.lab.report").joinpath(name).read_text("utf-8")
