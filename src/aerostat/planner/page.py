"""A plan as one HTML page that needs nothing beside it."""

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from aerostat.planner.question import PlanError
from aerostat.planner.words import details, headline
from aerostat.present.assets import embedded, plot_library, style
from aerostat.present.markup import Markup, escaped, join
from aerostat.units import format_size


def write_page(document: Mapping[str, Any], path: Path) -> None:
    """Write the page of a plan (``aerostat.plan/1``).

    Raises:
        PlanError: the file cannot be written.
    """
    try:
        path.write_text(render_page(document), encoding="utf-8")
    except OSError as error:
        raise PlanError(f"{path}: it cannot be written: {error.strerror or error}") from error


def render_page(document: Mapping[str, Any]) -> str:
    """The page."""
    parts = {
        "title": escaped(f"Aerostat plan: {headline(document)}"),
        "headline": escaped(headline(document)),
        "details": _listed(details(document)),
        "techniques": _techniques(document),
        "vms": _vms(document),
        "assumptions": _listed([*document["trace"]["notes"], *document["assumptions"]]),
        "repeat": escaped(_command(document)),
        "data": embedded(_plot_data(document)),
        "style": style(),
        "plot_library": plot_library(),
        "script": _asset("page.js"),
    }
    return Template(_asset("page.html")).substitute(parts)


def _command(document: Mapping[str, Any]) -> str:
    """What was asked, in full."""
    question = document["question"]
    options = {
        "host-memory": format_size(question["host_bytes"]).replace(" ", ""),
        "hosts": question["hosts"],
        "unmet": f"{question['unmet_ratio_max']:g}",
        "pressure": f"{question['pressed_ratio_max']:g}",
        "reported": f"{question['reported_ratio']:g}",
        "pool": f"{question['pool_ratio']:g}",
        "compressed": f"{question['compressed_ratio']:g}",
        "seed": question["seed"],
        "resamples": question["resamples"],
    }
    words = " ".join(f"--{name} {value}" for name, value in options.items())
    return (
        f"aerostat plan {document['trace']['source']} {words}; "
        f"Aerostat {document['aerostat']}; simulated."
    )


def _plot_data(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "bound": document["question"]["unmet_ratio_max"],
        "curves": [
            {
                "title": one["title"],
                "points": [[point["guests"], point["unmet_ratio"]] for point in one["curve"]],
            }
            for one in document["techniques"]
            if one["technique"] != "reserved"  # nothing ever lacks there
        ],
    }


def _techniques(document: Mapping[str, Any]) -> Markup:
    heads = (
        "", "fit", "range", "overcommit", "lacking", "lacking later", "host short later",
        "compressed later",
    )  # fmt: skip
    rows = [
        (
            [
                one["title"],
                str(one["guests"]),
                f"{one['guests_least']} to {one['guests_most']}",
                f"{one['overcommit_ratio']:.2f}x",
                f"{one['training']['unmet_ratio']:.3%}",
                f"{one['later']['unmet_ratio']:.3%}",
                f"{one['later']['pressed_ratio']:.2%}",
                f"{one['later']['compressed_ratio']:.2%}",
            ],
            not one["holds_later"],
        )
        for one in document["techniques"]
    ]
    return _table(heads, rows)


def _vms(document: Mapping[str, Any]) -> Markup:
    heads = ("", "has", "mostly uses", "peak", "min", "max", "weight", "above max later")
    rows = [
        (
            [
                vm["name"],
                *(
                    format_size(vm[f"{n}_bytes"])
                    for n in ("booted", "typical", "peak", "min", "max")
                ),
                str(vm["weight"]),
                f"{vm['later_above_max_ratio']:.2%}",
            ],
            False,
        )
        for vm in document["vms"]
    ]
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Iterable[tuple[Sequence[str], bool]]) -> Markup:
    head = join(_cell("th", number, text) for number, text in enumerate(heads))
    body = join(
        Markup(f"<tr{_broken(is_broken)}>{_cells(cells)}</tr>") for cells, is_broken in rows
    )
    return Markup(
        '<div class="scroll"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _broken(is_broken: bool) -> str:
    return ' class="broken"' if is_broken else ""


def _cells(cells: Sequence[str]) -> Markup:
    return join(_cell("td" if number else "th", number, text) for number, text in enumerate(cells))


def _cell(kind: str, number: int, text: str) -> Markup:
    scope = ' scope="row"' if kind == "th" and number == 0 else ""
    return Markup(f"<{kind}{scope}>{escaped(text)}</{kind}>")


def _listed(lines: Iterable[str]) -> Markup:
    return join(Markup(f"<li>{escaped(line)}</li>") for line in lines)


def _asset(name: str) -> str:
    return resources.files("aerostat.planner").joinpath(name).read_text("utf-8")
