"""What every report carries inside itself: the style, the plot library, its data."""

import json
from importlib import resources


def style() -> str:
    """The style sheet that all reports share, with the plot library's own."""
    return _asset("vendor/uplot/uPlot.min.css") + _asset("page.css")


def plot_library() -> str:
    """UPlot's script. Every copy of it carries its licence, and each report is a copy."""
    licence = _asset("vendor/uplot/LICENSE")
    return f"/*! uPlot\n{licence}\n*/\n" + _asset("vendor/uplot/uPlot.iife.min.js")


def embedded(value: object) -> str:
    """JSON that cannot end the script element it stands in, whatever its strings hold."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return resources.files("aerostat.present").joinpath(name).read_text("utf-8")
