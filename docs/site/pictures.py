"""Draws docs/images/*.svg from measured runs in docs/data: ``script/docs`` does it.

``python docs/site/pictures.py keep RESULT.json`` keeps what the pictures need of a demo's result.
"""

import json
import math
import sys
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
DEMO = DOCS / "data" / "demo-run.json"
MIB = 1 << 20
KEPT = ("hot_bytes", "actual_bytes", "target_bytes", "used_bytes", "cache_bytes", "latency_p99_s")
COLOURS = {
    "used": "#0b7a75",
    "cache": "#6fc2b4",
    "free": "#d8efe9",
    "balloon": "#f2c38b",
    "target": "#b3261e",
    "other": "#7a7f87",
}
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.small{font-size:11px;fill:#555}"
    ".head{font-weight:600}.axis{stroke:#999;stroke-width:1}.grid{stroke:#e4e4e4;stroke-width:1}"
)


def keep(result: Path) -> None:
    """Keep of a result what is drawn, and where it was measured."""
    document = json.loads(result.read_text("utf-8"))
    about = ("started", "accelerator", "machine", "aerostat", "guest_max_bytes", "world")
    arms = {}
    for arm in document["arms"]:
        series = arm["series"]
        arms[arm["policy"]] = {
            "starved_s": arm["starved_s"],
            "phases": arm["phases"],
            "elapsed_s": series["elapsed_s"],
            "guests": {n: {k: one[k] for k in KEPT} for n, one in series["guests"].items()},
        }
    kept = {key: document[key] for key in about} | {"arms": arms}
    DEMO.parent.mkdir(exist_ok=True)
    DEMO.write_text(json.dumps(kept, separators=(",", ":")) + "\n", "utf-8")


def pictures() -> dict[str, str]:
    """Every picture by its file's name."""
    run = json.loads(DEMO.read_text("utf-8"))
    return {"three-guests.svg": three_guests(run), "even-split.svg": latency(run)}


def three_guests(run: dict[str, Any]) -> str:
    """What each guest holds, second by second, and where the memory goes."""
    arm = run["arms"]["adaptive"]
    most_mib = max(run["guest_max_bytes"].values()) / MIB
    seconds: list[float] = arm["elapsed_s"]
    width, height, left, top = 660, 120, 96, 84
    parts = [_legend(left, 38)]
    for row, (name, one) in enumerate(arm["guests"].items()):
        y0 = top + row * (height + 34)
        across = _scale(seconds[0], seconds[-1], left, left + width)
        up = _scale(0, most_mib, y0 + height, y0)
        actual = _mib(one["actual_bytes"])
        used = [min(u, a) for u, a in zip(_mib(one["used_bytes"]), actual, strict=True)]
        cache = [
            min(u + c, a) for u, c, a in zip(used, _mib(one["cache_bytes"]), actual, strict=True)
        ]
        layers = (
            ("balloon", [most_mib] * len(seconds)),
            ("free", actual),
            ("cache", cache),
            ("used", used),
        )
        parts += [_area(seconds, tops, across, up, COLOURS[kind]) for kind, tops in layers]
        parts.append(_line(seconds, _mib(one["target_bytes"]), across, up, COLOURS["target"]))
        parts += [_busy(arm["phases"], name, across, y0)]
        parts += _axis(left, y0, height, up, (0, 256, 512), "MiB")
        parts.append(_text(16, y0 + height / 2 + 4, name, "head"))
    bottom = top + 3 * (height + 34)
    across = _scale(seconds[0], seconds[-1], left, left + width)
    parts += [_text(across(s) - 6, bottom - 18, f"{s:.0f}", "small") for s in range(0, 31, 5)]
    parts.append(_text(left + width / 2 - 24, bottom - 2, "seconds", "small"))
    head = "Three real guests of 512 MiB on 900 MiB, balanced"
    return _picture(left + width + 24, bottom + 22, head, parts, _source(run))


def latency(run: dict[str, Any]) -> str:
    """How slow the slowest guest is, under an even split and balanced."""
    width, height, left, top = 660, 220, 64, 64
    across = _scale(0, 30, left, left + width)
    logarithm = _scale(math.log10(0.0005), math.log10(1.0), top + height, top)

    def up(value_s: float) -> float:
        return logarithm(math.log10(max(value_s, 0.0005)))

    parts: list[str] = []
    for value_s, word in ((0.001, "1 ms"), (0.01, "10 ms"), (0.1, "100 ms"), (1.0, "1 s")):
        parts.append(_rule(left, left + width, up(value_s)))
        parts.append(_text(left - 50, up(value_s) + 4, word, "small"))
    parts.append(
        f'<line x1="{left}" x2="{left + width}" y1="{up(0.02):.1f}" y2="{up(0.02):.1f}"'
        ' stroke="#b3261e" stroke-dasharray="5 4"/>'
    )
    parts.append(_text(left + width - 92, up(0.02) - 6, "20 ms: the goal", "small"))
    arms = (("static", "even split", COLOURS["other"]), ("adaptive", "Aerostat", COLOURS["used"]))
    for number, (policy, word, colour) in enumerate(arms):
        arm = run["arms"][policy]
        worst = [
            max((one["latency_p99_s"][i] or 0.0) for one in arm["guests"].values())
            for i in range(len(arm["elapsed_s"]))
        ]
        parts.append(_line(arm["elapsed_s"][1:], worst[1:], across, up, colour))
        x = left + 8 + number * 250
        parts.append(f'<rect x="{x}" y="42" width="18" height="4" fill="{colour}"/>')
        parts.append(_text(x + 24, 48, f"{word}: {arm['starved_s']:.0f} s starved", "small"))
    bottom = top + height + 20
    parts += [_text(across(s) - 6, bottom, f"{s}", "small") for s in range(0, 31, 5)]
    parts.append(_text(left + width / 2 - 24, bottom + 16, "seconds", "small"))
    head = "p99 of the slowest guest, second by second; the guest that needs much changes twice"
    return _picture(left + width + 24, bottom + 40, head, parts, _source(run))


def _source(run: dict[str, Any]) -> str:
    cores, kernel = run["machine"]["cores"], run["machine"].get("guest_kernel", "?")
    return (
        f"aerostat demo --real, {run['started'][:10]}, accelerator {run['accelerator']},"
        f" {cores} cores, guests' kernel {kernel}; one run"
    )


def _picture(width: float, height: float, head: str, parts: Sequence[str], source: str) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' role="img" aria-label="{escape(head)}"><style>{STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="#fff" rx="6"/>\n{_text(16, 24, head, "head")}\n'
        f"{body}\n{_text(16, height - 8, source, 'small')}\n</svg>\n"
    )


def _legend(left: float, y: float) -> str:
    words = {
        "used": "used", "cache": "cache", "free": "free in the guest",
        "balloon": "in the balloon: the host has it", "target": "target",
    }  # fmt: skip
    parts, x = [], left
    for kind, word in words.items():
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{COLOURS[kind]}"/>')
        parts.append(_text(x + 18, y + 11, word, "small"))
        x += 40 + 7 * len(word)
    return "\n".join(parts)


def _busy(
    phases: Sequence[dict[str, Any]], name: str, across: Callable[[float], float], y: float
) -> str:
    """A bar over the time in which this guest needs most."""
    for phase in phases:
        if phase["hot_bytes"][name] == max(phase["hot_bytes"].values()):
            x0, x1 = across(phase["start_s"]), across(phase["end_s"])
            bar = f'<rect x="{x0:.1f}" y="{y - 8}" width="{x1 - x0:.1f}" height="5" fill="#555"/>'
            return bar + _text(x0, y - 12, "needs 350 MiB here", "small")
    return ""


def _axis(
    left: float,
    y0: float,
    height: float,
    up: Callable[[float], float],
    marks: Sequence[int],
    unit: str,
) -> list[str]:
    parts = [f'<line class="axis" x1="{left}" x2="{left}" y1="{y0}" y2="{y0 + height}"/>']
    parts += [_text(left - 30, up(mark) + 4, f"{mark}", "small") for mark in marks[1:]]
    return [*parts, _text(left - 30, up(0) + 4, unit, "small")]


def _rule(x0: float, x1: float, y: float) -> str:
    return f'<line class="grid" x1="{x0}" x2="{x1}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _mib(sizes: Sequence[float | None]) -> list[float]:
    """In MiB; what was not measured yet is as it was measured next."""
    known = [size for size in sizes if size is not None]
    return [(known[0] if size is None else size) / MIB for size in sizes]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _points(
    xs: Sequence[float],
    ys: Sequence[float],
    across: Callable[[float], float],
    up: Callable[[float], float],
) -> str:
    return " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in zip(xs, ys, strict=True))


def _line(
    xs: Sequence[float],
    ys: Sequence[float],
    across: Callable[[float], float],
    up: Callable[[float], float],
    colour: str,
) -> str:
    points = _points(xs, ys, across, up)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _area(
    xs: Sequence[float],
    ys: Sequence[float],
    across: Callable[[float], float],
    up: Callable[[float], float],
    colour: str,
) -> str:
    ends = f"{across(xs[-1]):.1f},{up(0):.1f} {across(xs[0]):.1f},{up(0):.1f}"
    return f'<polygon points="{_points(xs, ys, across, up)} {ends}" fill="{colour}"/>'


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


if __name__ == "__main__":
    if sys.argv[1:2] == ["keep"]:
        keep(Path(sys.argv[2]))
    for name, text in pictures().items():
        (DOCS / "images" / name).write_text(text, "utf-8")
