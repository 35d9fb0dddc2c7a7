"""All policies side by side on the same worlds: unmet demand, distress, churn, and our goals.

Without ``--trace`` the worlds are drawn from a synthetic fleet. With one, from its VMs: an ``.npz``
file with arrays ``used`` and ``cap``, MiB, [VMs x samples of 300 s].
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aerostat
from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.constants import DEFLATE_RATE, INFLATE_RATE
from aerostat.sim.fleet.draw import Draw
from aerostat.sim.fleet.summary import Summary, together
from aerostat.sim.fleet.synthetic import synthetic_trace
from aerostat.sim.fleet.tournament import Arm, run_arms
from aerostat.sim.trace import TraceError, read_trace
from aerostat.sim.workers import crew_of
from aerostat.units import GIB

YARDSTICKS = (PolicyName.ADAPTIVE, PolicyName.CLAIRVOYANT)
"""Neither is a baseline: the one is ours, the other cannot exist."""
TICK_HELP = "seconds; some policies decide every second, and longer ticks make them wait"
CHURN_GOAL = 3.0
UNMET_GOAL = 0.5
CLAIRVOYANT_GOALS = {3.0: 1.5, 4.0: 1.2}

Results = Mapping[tuple[PolicyName, float], Sequence[Summary]]


def main() -> int:
    """Run all arms and print what they came to."""
    options = _options()
    try:
        arms = _arms(options)
        runs = run_arms(arms, crew_of(options.workers), done=_progress())
        summaries = [run.summary for run in runs]
    except TraceError as error:
        print(error, file=sys.stderr)
        return 2
    results: dict[tuple[PolicyName, float], list[Summary]] = {}
    for arm, summary in zip(arms, summaries, strict=True):
        results.setdefault((arm.policy, arm.overcommit_ratio), []).append(summary)
    if options.output == "json":
        print(json.dumps(_document(options, arms, summaries), indent=1))
    else:
        print(_table(options, results))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trace", type=Path, help=".npz with used and cap; default: synthetic")
    parser.add_argument("--policy", action="append", type=PolicyName, choices=list(PolicyName))
    parser.add_argument("--overcommit", type=float, nargs="+", default=[3.0, 4.0])
    parser.add_argument("--seeds", type=int, default=3, help="draws of hosts")
    parser.add_argument("--hosts", type=int, default=6, help="for each draw")
    parser.add_argument("--guests-a-host", type=int, default=16)
    parser.add_argument("--days", type=float, help="of the trace, from its start; default: all")
    parser.add_argument("--tick", type=float, default=2.0, help=TICK_HELP)
    parser.add_argument("--interpreted", action="store_true", help="the same, without compiling")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    return parser.parse_args()


def _arms(options: argparse.Namespace) -> list[Arm]:
    samples = None if options.days is None else round(options.days * 288)
    if options.trace is None:
        trace = synthetic_trace(seed=1, vms=200, samples=samples or 4 * 288)
    else:
        trace = read_trace(options.trace)
    # Policies vary fastest, so that no two processes compile the same one at once.
    return [
        Arm(
            trace=trace,
            policy=policy,
            draw=Draw(
                seed=seed,
                hosts=options.hosts,
                guests_a_host=options.guests_a_host,
                samples=None if samples is None else (0, samples),
            ),
            overcommit_ratio=overcommit,
            tick_s=options.tick,
            is_compiled=not options.interpreted,
        )
        for seed in range(1, options.seeds + 1)
        for overcommit in options.overcommit
        for policy in options.policy or PolicyName
    ]


def _progress() -> Any:
    if not sys.stderr.isatty():
        return None
    return lambda done: print(f"\r{done:.0%}", end="", file=sys.stderr)


def _table(options: argparse.Namespace, results: Results) -> str:
    lines = []
    for overcommit in options.overcommit:
        rows = {
            policy: together(runs) for (policy, at), runs in results.items() if at == overcommit
        }
        lines += [_title(options, overcommit, next(iter(rows.values()))), _HEAD]
        lines += [_row(policy, rows[policy]) for policy in sorted(rows, key=_unmet_of(rows))]
        lines += [*_goals(rows, overcommit), ""]
    return "\n".join(lines)


_HEAD = (
    f"{'policy':17} {'unmet %':>9} {'worst guest %':>14} {'distress s':>11} "
    f"{'below reserve s':>16} {'churn GiB':>10} {'VM-ticks/s':>11}\n"
    f"{'':17} {'':>9} {'':>14} {'/guest day':>11} "
    f"{'/host day':>16} {'/guest h':>10} {'one core':>11}"
)


def _title(options: argparse.Namespace, overcommit: float, run: Summary) -> str:
    world = "synthetic fleet" if options.trace is None else options.trace.stem
    days = run.host_s / options.seeds / 86400
    return (
        f"{world}, overcommit {overcommit:g}x: {options.seeds} draws, each {days:g} host days, "
        f"{options.guests_a_host} VMs a host, tick {options.tick:g} s"
    )


def _unmet_of(rows: Mapping[PolicyName, Summary]) -> Any:
    return lambda policy: rows[policy].unmet_ratio


def _row(policy: PolicyName, run: Summary) -> str:
    return (
        f"{policy:17} {run.unmet_ratio:9.4%} {run.worst_unmet_ratio:14.3%} "
        f"{run.distressed_s_per_guest_day:11.1f} {run.below_reserve_s_per_host_day:16.1f} "
        f"{run.churn_gib_per_guest_hour:10.3f} {run.guest_ticks_per_s:11.2e}"
    )


def _goals(rows: Mapping[PolicyName, Summary], overcommit: float) -> list[str]:
    """What was aimed at, and whether it was reached; empty where a policy for it is missing."""
    ours = rows.get(PolicyName.ADAPTIVE)
    if ours is None:
        return []
    goals = [("churn at most 3 GiB per guest and hour", ours.churn_gib_per_guest_hour, CHURN_GOAL)]
    others = {policy: run for policy, run in rows.items() if policy not in YARDSTICKS}
    bound = rows.get(PolicyName.CLAIRVOYANT)
    if others:
        best = min(others, key=_unmet_of(others))
        ratio = _over(ours.unmet_ratio, others[best].unmet_ratio)
        words = f"unmet over that of the best baseline, {best}"
        if bound is not None:  # a goal that is below it cannot be reached by anybody
            least = _over(bound.unmet_ratio, others[best].unmet_ratio)
            words += f" (the clairvoyant's: {least:.3g})"
        goals.append((words, ratio, UNMET_GOAL))
    if bound is not None and overcommit in CLAIRVOYANT_GOALS:
        ratio = _over(ours.unmet_ratio, bound.unmet_ratio)
        goals.append(("unmet over that of the clairvoyant", ratio, CLAIRVOYANT_GOALS[overcommit]))
    return [
        f"  {'reached' if figure <= goal else 'MISSED '}  {words}: {figure:.3g} (goal {goal:g})"
        for words, figure, goal in goals
    ]


def _over(figure: float, other: float) -> float:
    """How many times as much; nothing is no part of anything."""
    if figure == 0:
        return 0.0
    return figure / other if other > 0 else float("inf")


def _document(
    options: argparse.Namespace, arms: Sequence[Arm], summaries: Sequence[Summary]
) -> dict[str, Any]:
    return {
        "schema": "aerostat.result/1",
        "aerostat": aerostat.__version__,
        "name": "bench-policies",
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "accelerator": "simulated",
        "machine": {"cores": os.cpu_count() or 1, "kernel": os.uname().release},
        "world": {
            "trace": "synthetic" if options.trace is None else options.trace.stem,
            "overcommit_ratios": options.overcommit,
            "seeds": list(range(1, options.seeds + 1)),
            "guests_a_host": options.guests_a_host,
            "tick_s": options.tick,
            "inflate_gib_per_s": INFLATE_RATE / GIB,
            "deflate_gib_per_s": DEFLATE_RATE / GIB,
            "is_compiled": not options.interpreted,
        },
        "arms": [_arm(arm, run) for arm, run in zip(arms, summaries, strict=True)],
    }


def _arm(arm: Arm, run: Summary) -> dict[str, Any]:
    return {
        "policy": arm.policy,
        "repeat": arm.draw.seed,
        "valid": True,
        "overcommit_ratio": arm.overcommit_ratio,
        "unmet_ratio": run.unmet_ratio,
        "worst_guest_unmet_ratio": run.worst_unmet_ratio,
        "distressed_s": run.distressed_s,
        "below_reserve_s": run.below_reserve_s,
        "churn_bytes": run.churn_bytes,
        "churn_gib_per_guest_hour": run.churn_gib_per_guest_hour,
        "guest_swap_in_bytes": run.swap_in_bytes,
        "guest_swap_out_bytes": run.swap_out_bytes,
        "pressure_some_s": run.stalled_s,
        "guest_s": run.guest_s,
        "host_s": run.host_s,
        "guest_ticks_per_s": run.guest_ticks_per_s,
        "digest": run.digest,
    }


if __name__ == "__main__":
    sys.exit(main())
