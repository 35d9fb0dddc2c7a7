"""The comparison on an application, before people and as a document."""

from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

import aerostat
from aerostat.lab.application.found import Application, ApplicationArm
from aerostat.present.wording import (
    ABSENT,
    format_bytes,
    format_latency,
    format_percent,
    format_seconds,
    policy_title,
)

SCHEMA = "aerostat.application/1"


def application_table(found: Application) -> Table:
    """A row a policy; what was disturbed is not counted, but told."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("redis", no_wrap=True)
    headings = ("requests\na second", "of uncon-\nstrained", "p99", "new data\ntook", "swap in")
    for heading in headings:
        table.add_column(heading, justify="right")
    reference = _mean_rate(found, found.arms[0].policy)
    for policy in dict.fromkeys(arm.policy for arm in found.arms):
        valid = [arm for arm in found.arms if arm.policy == policy and arm.why_invalid is None]
        table.add_row(
            _name(policy, len(valid), found), *_cells(valid, _mean_rate(found, policy), reference)
        )
    return table


def discarded(found: Application) -> list[str]:
    """Runs that do not count, each with its reason."""
    return [
        f"discarded: {policy_title(arm.policy)}, repeat {arm.repeat}: {arm.why_invalid}"
        for arm in found.arms
        if arm.why_invalid is not None
    ]


def application_document(found: Application) -> dict[str, Any]:
    """Write it down; what was not measured is left out, never 0."""
    return {
        "schema": SCHEMA,
        "aerostat": aerostat.__version__,
        "started": found.started_utc,
        "accelerator": found.accelerator,
        "machine": dict(found.machine),
        "world": dict(found.world),
        "notes": list(found.notes),
        "arms": [_arm(arm) for arm in found.arms],
    }


def _arm(arm: ApplicationArm) -> dict[str, Any]:
    written = {**asdict(arm), "requests_per_s": arm.requests_per_s}
    written["valid"] = arm.why_invalid is None
    written["fill_s"] = list(arm.fill_s)
    return {key: value for key, value in written.items() if value is not None}


def _mean_rate(found: Application, policy: str) -> float | None:
    rates = [
        arm.requests_per_s for arm in found.arms if arm.policy == policy and arm.why_invalid is None
    ]
    return sum(rates) / len(rates) if rates else None


def _name(policy: str, runs: int, found: Application) -> Text:
    text = Text(policy_title(policy), style="bold")
    lost = sum(1 for arm in found.arms if arm.policy == policy) - runs
    text.append(f"\n{runs} run{'s' if runs != 1 else ''}", style="not bold dim")
    if lost:
        text.append(f", {lost} discarded", style="not bold red")
    return text


def _cells(
    valid: list[ApplicationArm], rate: float | None, reference: float | None
) -> tuple[str, ...]:
    if rate is None:
        return (ABSENT,) * 5
    p99 = [arm.p99_s for arm in valid if arm.p99_s is not None]
    fills = [seconds for arm in valid for seconds in arm.fill_s]
    swapped = sum(arm.guest_swap_in_bytes for arm in valid) // len(valid)
    return (
        f"{rate:.0f}",
        ABSENT if not reference else format_percent(rate / reference),
        ABSENT if not p99 else format_latency(sum(p99) / len(p99)),
        ABSENT if not fills else format_seconds(sum(fills) / len(fills)),
        format_bytes(swapped),
    )
