"""The contest as one HTML file: table and plots; opens anywhere, loads nothing."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from aerostat.ports.errors import AerostatError
from aerostat.present.assets import embedded, plot_library, style
from aerostat.present.markup import Markup, definition_list, escaped, join
from aerostat.present.wording import format_bytes, format_percent, format_seconds

Document = Mapping[str, Any]


class ReportError(AerostatError):
    """The report cannot be written."""


def write_report(document: Document, path: Path) -> None:
    """Write the report of a result document.

    Raises:
        ReportError: the file cannot be written.
    """
    try:
        path.write_text(render_report(document), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{path}: the report cannot be written: {error.strerror}") from error


def render_report(document: Document) -> str:
    """The report as a page."""
    headline = _headline(document)
    parts: dict[str, str] = {
        "title": escaped(f"Aerostat simulate: {headline}"),
        "headline": escaped(headline),
        "badges": _badges(document),
        "notes": _notes(document),
        "tables": join(_table(name, ratio, arms) for (name, ratio), arms in _groups(document)),
        "facts": _facts(document),
        "data": embedded(document),
        "style": style() + _asset("report.css"),
        "plot_library": plot_library(),
        "script": _asset("report.js"),
    }
    return Template(_asset("report.html")).substitute(parts)


def _groups(document: Document) -> list[tuple[tuple[str, float | None], list[Document]]]:
    """Arms by world and overcommit ratio, in the document's order."""
    groups: dict[tuple[str, float | None], list[Document]] = {}
    for arm in document["arms"]:
        groups.setdefault((arm["world"], arm.get("overcommit_ratio")), []).append(arm)
    return list(groups.items())


def _headline(document: Document) -> str:
    worlds = [world["name"] for world in document["world"]["worlds"]]
    policies = list(dict.fromkeys(arm["policy"] for arm in document["arms"]))
    what = policies[0] if len(policies) == 1 else f"{len(policies)} policies"
    where = " and ".join(worlds) if len(worlds) < 3 else f"{len(worlds)} worlds"
    return f"{what} on {where}"


def _badges(document: Document) -> Markup:
    facts = [
        f"{len(document['arms'])} arms",
        f"digest {document['digest']}",
        str(document["started"]),
        f"Aerostat {document['aerostat']}",
    ]
    loud = '<li class="badge loud"><b>SIMULATED</b> no real guest ran: these figures are a model’s</li>'  # noqa: E501, RUF001
    return Markup(loud + "".join(f'<li class="badge">{escaped(fact)}</li>' for fact in facts))


def _notes(document: Document) -> Markup:
    items = join(Markup(f"<li>{escaped(note)}</li>") for note in document["notes"])
    return Markup(f'<ul class="notes">{items}</ul>') if items else Markup("")


_FLEET_COLUMNS = (
    ("Unmet demand", "byte-seconds lacked over byte-seconds wanted"),
    ("Worst VM", "the same of the VM that lacked most"),
    ("Distress, s per VM and day", "seconds with more than a twentieth of the demand lacking"),
    ("Host over, s a day", "seconds in which guests held more than there was for them"),
    ("Moved, GiB per VM and hour", "by balloons, either way"),
    ("Guest swap, GiB per VM and hour", "in and out"),
)
_FULL_COLUMNS = (
    ("Work lost, s per VM and day", "while guests waited for memory, and after kills"),
    ("Killed", "workloads by their guests' kernels, and VMs by full hosts"),
)
_SCENARIO_COLUMNS = (
    ("Checks held", "of those the scenario makes"),
    ("Served", "of the requests that came"),
    ("p99", "of the requests' latencies"),
    ("Starved, s", "guest seconds with less than 90 % served"),
    ("Swapped in", "read back by guests"),
    ("Killed", "by guests' kernels for want of memory"),
    ("Moved", "by balloons, either way"),
)


def _table(name: str, ratio: float | None, arms: Sequence[Document]) -> Markup:
    is_fleet = ratio is not None
    title = f"{name} at {ratio:g}x" if is_fleet else f"{name}, a scenario"
    columns: tuple[tuple[str, str], ...] = _FLEET_COLUMNS if is_fleet else _SCENARIO_COLUMNS
    if any("lost_s" in arm for arm in arms):
        columns += _FULL_COLUMNS
    heads = join(
        Markup(f'<th scope="col" title="{escaped(meaning)}">{escaped(label)}</th>')
        for label, meaning in columns
    )
    ranked = sorted(arms, key=_fleet_rank if is_fleet else _scenario_rank)
    many = len({arm["repeat"] for arm in arms}) > 1
    rows = join(
        _row(arm, _fleet_cells(arm) if is_fleet else _scenario_cells(arm), with_seed=many)
        for arm in ranked
    )
    return Markup(
        f'<h3>{escaped(title)}</h3><div class="scroll"><table class="figures"><thead><tr>'
        f'<th scope="col">Policy</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _fleet_rank(arm: Document) -> tuple[float, str, int]:
    return (arm["unmet_ratio"], arm["policy"], arm["repeat"])


def _scenario_rank(arm: Document) -> tuple[int, int, str]:
    return (len(arm["failed_checks"]), -arm["operations"], arm["policy"])


def _row(arm: Document, cells: Sequence[str], *, with_seed: bool) -> Markup:
    seed = f"<small>seed {arm['repeat']}</small>" if with_seed else ""
    told = join(Markup(f"<td>{escaped(cell)}</td>") for cell in cells)
    return Markup(
        f'<tr data-policy="{escaped(arm["policy"])}"><th scope="row"><b>{escaped(arm["policy"])}'
        f"</b>{seed}</th>{told}</tr>"
    )


def _fleet_cells(arm: Document) -> list[str]:
    hours = arm["guest_s"] / 3600
    swapped = arm["guest_swap_in_bytes"] + arm["guest_swap_out_bytes"]
    full = (
        [
            f"{arm['lost_s'] / hours * 24:,.1f}",
            str(arm["oom_kills"] + arm["host_oom_kills"]),
        ]
        if "lost_s" in arm
        else []
    )
    return [
        f"{100 * arm['unmet_ratio']:.4f} %",
        f"{100 * arm['worst_guest_unmet_ratio']:.3f} %",
        f"{arm['distressed_s'] / hours * 24:,.1f}",
        f"{arm['below_reserve_s'] / arm['host_s'] * 86_400:,.1f}",
        f"{arm['churn_bytes'] / hours / 2**30:.3f}",
        f"{swapped / hours / 2**30:.3f}",
        *full,
    ]


def _scenario_cells(arm: Document) -> list[str]:
    return [
        f"{arm['checks'] - len(arm['failed_checks'])} of {arm['checks']}",
        format_percent(arm["served_ratio"]) if "served_ratio" in arm else "-",
        format_seconds(arm["latency_p99_s"]) if "latency_p99_s" in arm else "-",
        str(arm["starved_s"]),
        format_bytes(arm["guest_swap_in_bytes"]),
        str(arm["oom_kills"]),
        format_bytes(arm["churn_bytes"]),
    ]


def _facts(document: Document) -> Markup:
    world = document["world"]
    machine = document["machine"]
    entries = [
        ("Seeds", ", ".join(map(str, world["seeds"]))),
        ("VMs a host", str(world["guests_a_host"])),
        ("Tick", _ticks(document)),
        ("Balloons take", f"{format_bytes(world['inflate_bytes_per_s'])} a second"),
        ("Balloons give", f"{format_bytes(world['deflate_bytes_per_s'])} a second"),
        ("Guests swap", f"{format_bytes(world['swap_bytes_per_s'])} a second"),
        ("Least for a VM", f"{format_percent(world['min_ratio'])} of its max"),
        ("Host reserve", format_percent(world["reserve_ratio"])),
        ("Ran on", f"{machine['workers']} workers, {machine['cores']} cores here"),
    ]
    return definition_list((term, escaped(told)) for term, told in entries)


def _ticks(document: Document) -> str:
    worlds = document["world"]["worlds"]
    ticks = dict.fromkeys(f"{world['tick_s']:g} s" for world in worlds if "tick_s" in world)
    return ", ".join(ticks) or "none: scenarios have the daemon's own pace"


def _asset(name: str) -> str:
    return resources.files("aerostat.simulate").joinpath(name).read_text("utf-8")
