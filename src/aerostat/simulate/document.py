"""The contest as a result document (``aerostat.result/1``); what was not measured is absent."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np

import aerostat
from aerostat.present.schema import SCHEMA_NAME
from aerostat.sim.fleet.constants import (
    DEFLATE_RATE,
    INFLATE_RATE,
    MIN_RATIO,
    RESERVE_RATIO,
    SWAP_RATE,
)
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.series import Series
from aerostat.sim.fleet.tournament import ArmResult
from aerostat.simulate.contest import Contest, ScenarioArm, WorldResult
from aerostat.simulate.worlds import FleetWorlds, Settings

Document = dict[str, Any]

GUESTS_MOST = 64
"""Fleets of up to so many VMs are written down guest by guest."""
SHARES = tuple(range(101))
"""Percentiles of the guests, for the distribution of distress."""


def contest_document(
    contest: Contest, settings: Settings, *, started: datetime, workers: int
) -> Document:
    """All results with what they were run on; the same inputs give the same ``digest``."""
    machine = os.uname()
    return {
        "schema": SCHEMA_NAME,
        "aerostat": aerostat.__version__,
        "name": "simulate",
        "started": started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "accelerator": "simulated",
        "machine": {"cores": os.cpu_count() or 1, "kernel": machine.release, "workers": workers},
        "world": {
            "worlds": [_world(world) for world in contest.worlds],
            "policies": list(settings.policies),
            "overcommit_ratios": list(settings.overcommits),
            "seeds": list(settings.seeds),
            "guests_a_host": settings.guests_a_host,
            **({} if settings.tick_s is None else {"tick_s": settings.tick_s}),
            "physics": "simplified" if settings.full is None else "full",
            **({} if settings.full is None else {"full": _made_of(settings.full)}),
            "inflate_bytes_per_s": INFLATE_RATE,
            "deflate_bytes_per_s": DEFLATE_RATE,
            "swap_bytes_per_s": SWAP_RATE,
            "min_ratio": MIN_RATIO,
            "reserve_ratio": RESERVE_RATIO,
        },
        "notes": [
            f"{world.world.name}: {note}" for world in contest.worlds for note in world.world.notes
        ],
        "digest": contest.digest,
        "arms": [arm for world in contest.worlds for arm in _arms(world)],
    }


def _made_of(full: FullPhysics) -> Document:
    return {**asdict(full), "ages": full.ages._asdict(), "pace": full.pace._asdict()}


def _world(world: WorldResult) -> Document:
    if isinstance(world.world, FleetWorlds):
        arm = world.fleets[0]
        return {
            "name": world.world.name,
            "kind": "fleet",
            "hosts": sum(len(part.hosts.first) for part in arm.outcome.parts),
            "sample_s": arm.arm.trace.sample_s,
            "tick_s": arm.arm.tick_s,
            "span_s": arm.summary.guest_s / _guests(arm),
        }
    scenario = world.world.scenario
    return {
        "name": world.world.name,
        "kind": "scenario",
        "title": scenario.title,
        "span_s": scenario.duration,
    }


def _guests(arm: ArmResult) -> int:
    return sum(len(part.guests.actual_bytes) for part in arm.outcome.parts)


def _arms(world: WorldResult) -> Iterator[Document]:
    for fleet in world.fleets:
        yield _fleet_arm(world.world.name, fleet)
    for scenario in world.scenarios:
        yield _scenario_arm(world.world.name, scenario)


def _fleet_arm(name: str, arm: ArmResult) -> Document:
    run = arm.summary
    document: Document = {
        "policy": arm.arm.policy,
        "repeat": arm.arm.draw.seed,
        "valid": True,
        "world": name,
        "overcommit_ratio": arm.arm.overcommit_ratio,
        "unmet_ratio": run.unmet_ratio,
        "worst_guest_unmet_ratio": run.worst_unmet_ratio,
        "distressed_s": run.distressed_s,
        "below_reserve_s": run.below_reserve_s,
        "churn_bytes": run.churn_bytes,
        "guest_swap_in_bytes": run.swap_in_bytes,
        "guest_swap_out_bytes": run.swap_out_bytes,
        "pressure_some_s": run.stalled_s,
        "guest_s": run.guest_s,
        "host_s": run.host_s,
        "guest_ticks": run.guest_ticks,
        "guest_ticks_per_s": run.guest_ticks_per_s,
        "digest": run.digest,
        "distressed_s_by_share": _by_share(arm),
    }
    if arm.arm.full is not None:
        document["lost_s"] = run.lost_s
        document["refaults"] = round(run.refault_pages)
        document["oom_kills"] = run.oom_kills
        document["host_oom_kills"] = run.host_oom_kills
        document["host_swap_in_bytes"] = run.host_swap_in_bytes
        document["host_swap_out_bytes"] = run.host_swap_out_bytes
    if _guests(arm) <= GUESTS_MOST:
        document["guests"] = _by_guest(arm)
    if arm.series is not None:
        document["fleet_series"] = _series(arm.series, _names(arm))
    return document


def _names(arm: ArmResult) -> list[str]:
    """The guests' names in the order of the fleet."""
    from aerostat.sim.fleet.draw import drawn_vms  # noqa: PLC0415

    chosen = drawn_vms(arm.arm.trace, arm.arm.draw)
    return [arm.arm.trace.vm_name(vm) for vm in chosen.tolist()]


def _column(arm: ArmResult, name: str) -> Any:
    return np.concatenate([np.asarray(getattr(part.guests, name)) for part in arm.outcome.parts])


def _by_share(arm: ArmResult) -> list[float]:
    """Seconds in distress a day: of the guest that fares best, ..., of the one that fares worst."""
    days = arm.summary.guest_s / _guests(arm) / 86_400
    distress = np.sort(_column(arm, "distressed_s")) / days
    places = np.array(SHARES) / 100 * (len(distress) - 1)
    return [round(float(distress[round(place)]), 3) for place in places]


def _by_guest(arm: ArmResult) -> Document:
    columns = {
        "short_byte_s": _column(arm, "short_byte_s"),
        "wanted_byte_s": _column(arm, "wanted_byte_s"),
        "distressed_s": _column(arm, "distressed_s"),
        "churn_bytes": _column(arm, "churn_bytes"),
        "guest_swap_in_bytes": _column(arm, "swap_in_bytes"),
        "guest_swap_out_bytes": _column(arm, "swap_out_bytes"),
    }
    guests: Document = {}
    for number, name in enumerate(_names(arm)):
        figures = {key: column[number].item() for key, column in columns.items()}
        short, wanted = figures.pop("short_byte_s"), figures.pop("wanted_byte_s")
        guests[name] = {"unmet_ratio": min(1.0, short / wanted) if wanted else 0.0, **figures}
    return guests


def _series(series: Series, names: list[str]) -> Document:
    return {
        "elapsed_s": series.elapsed_s,
        "demand_bytes": series.demand_bytes,
        "held_bytes": series.held_bytes,
        "short_byte_s": series.short_byte_s,
        "distressed_s": [cell / 1000 for cell in series.distressed_ms],
        "guests": {
            names[guest.number]: {
                "max_bytes": guest.max_bytes,
                "demand_bytes": guest.demand_bytes,
                "actual_bytes": guest.actual_bytes,
                "target_bytes": guest.target_bytes,
            }
            for guest in series.guests
        },
    }


def _scenario_arm(name: str, arm: ScenarioArm) -> Document:
    run = arm.result
    document: Document = {
        "policy": arm.policy,
        "repeat": arm.seed,
        "valid": not run.failed_rounds,
        "world": name,
        "checks": run.checks,
        "failed_checks": run.failures,
        "operations": run.operations,
        "offered": run.offered,
        "starved_s": run.starved_s,
        "guest_swap_in_bytes": run.swap_in_bytes,
        "guest_swap_out_bytes": run.swap_out_bytes,
        "oom_kills": run.oom_kills,
        "churn_bytes": run.churn_bytes,
        "pressure_full_s": run.stalled_s,
        "host_swap_in_bytes": run.host_swap_in_bytes,
        "host_swap_out_bytes": run.host_swap_out_bytes,
        "recovery_s": list(run.recoveries_s),
        "digest": run.digest,
    }
    if run.latencies_s:
        document["latency_p50_s"], document["latency_p99_s"] = run.latencies_s
    if run.series is not None:
        document["scenario_series"] = {
            "elapsed_s": run.series.elapsed_s,
            "guests": run.series.guests,
        }
    if run.served_ratio is not None:
        document["served_ratio"] = run.served_ratio
    if run.failed_rounds:
        document["why_invalid"] = "; ".join(run.failed_rounds)
    return document
