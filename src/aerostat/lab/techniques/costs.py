"""What techniques cost and how fast they take memory back: the second half of the classic table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aerostat.lab.result.summary import PolicySummary
from aerostat.present.wording import (
    ABSENT,
    Spread,
    format_bytes,
    format_percent,
    format_range,
    format_seconds,
    spread_of,
)

CPU_NAMES = {
    "daemon": "daemon",
    "ksmd": "ksmd",
    "kswapd": "kswapd",
    "reclaim": "reclaim",
    "vm_kernel": "VMs, in the kernel",
    "vm_guest": "VMs, guest code",
}
TRAFFIC_NAMES = {
    "guest_swap_out_bytes": "guest swap out",
    "guest_swap_in_bytes": "guest swap in",
    "host_swap_out_bytes": "host swap out",
    "host_swap_in_bytes": "host swap in",
    "zswap_out_bytes": "to zswap",
    "zswap_in_bytes": "from zswap",
}

TO = "\nto "
"""Between the least and the most in the terminal, where a column has no room for both."""

HUGE = "free, huge pages"
KINDS = ("free", "cold", HUGE)
"""What is taken back; "free" is free in guests without huge pages behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One figure before people."""

    text: str
    beside: str = ""  # its range over repeats
    below: str = ""  # the same for a narrow column


def cpu_of(summary: PolicySummary, name: str) -> Told:
    """Processor seconds of one kind, over the valid repeats."""
    found = [arm["cpu_split_s"][name] for arm in summary.arms if name in arm.get("cpu_split_s", {})]
    return _told(spread_of(found), format_seconds)


def traffic_of(summary: PolicySummary, key: str) -> Told:
    """Bytes that went one way, over the valid repeats."""
    return _told(spread_of([arm[key] for arm in summary.arms if key in arm]), format_bytes)


def take_of(document: Mapping[str, Any], technique: str, contents: str) -> Told:
    """How long 256 MiB took; where it did not come, how much there was."""
    tries = _tries(document, technique, contents)
    if not tries:
        return Told(text=ABSENT)
    took = [entry["took_s"] for entry in tries if "took_s" in entry]
    if len(took) < len(tries):
        least = min(entry["taken_bytes"] for entry in tries)
        came = f"{len(took)} of {len(tries)} came"
        return Told(text=f"only {format_bytes(least)}", beside=came, below=came)
    return _told(spread_of(took), _fine_seconds)


def give_of(document: Mapping[str, Any], technique: str, contents: str) -> Told:
    """How long until the guest served again with so much more in use."""
    tries = _tries(document, technique, contents)
    gave = [entry["gave_s"] for entry in tries if "gave_s" in entry]
    if tries and len(gave) < len(tries):
        return Told(text="not in time")
    return _told(spread_of(gave), _fine_seconds)


def contents_seen(document: Mapping[str, Any]) -> Sequence[str]:
    """Which kinds of memory were taken back in this experiment."""
    seen = {_kind(entry) for entry in document.get("take_back", ())}
    return [kind for kind in KINDS if kind in seen]


def measured_words(document: Mapping[str, Any], summary: PolicySummary) -> Sequence[str]:
    """The classic table's last column: what was measured, in a few lines."""
    lines = []
    served = spread_of([arm["served_ratio"] for arm in summary.arms if "served_ratio" in arm])
    if served is not None:
        lines.append(f"{format_percent(served.mean)} served")
    for kind in contents_seen(document):
        told = take_of(document, summary.policy, kind).text
        if told != ABSENT:
            lines.append(f"{told} ({kind})")
    spent = spread_of([sum(_host_cpu_s(arm)) for arm in summary.arms if "cpu_split_s" in arm])
    if spent is not None:
        lines.append(f"{format_seconds(spent.mean)} host CPU")
    return lines


def _host_cpu_s(arm: Mapping[str, Any]) -> list[float]:
    return [seconds for name, seconds in arm["cpu_split_s"].items() if name != "vm_guest"]


def _tries(document: Mapping[str, Any], technique: str, contents: str) -> list[Mapping[str, Any]]:
    return [
        entry
        for entry in document.get("take_back", ())
        if entry["technique"] == technique and _kind(entry) == contents
    ]


def _kind(entry: Mapping[str, Any]) -> str:
    return HUGE if entry.get("huge_pages") else str(entry["contents"])


def _told(spread: Spread | None, form: Any) -> Told:
    if spread is None:
        return Told(text=ABSENT)
    return Told(
        text=form(spread.mean),
        beside=format_range(spread, form),
        below=format_range(spread, form, between=TO),
    )


def _fine_seconds(duration_s: float) -> str:
    return f"{duration_s:.2f} s" if duration_s < 10 else format_seconds(duration_s)
