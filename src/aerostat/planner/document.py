"""A plan as a document (``aerostat.plan/1``)."""

from typing import Any

from aerostat import __version__
from aerostat.planner.advice import VmAdvice
from aerostat.planner.assumptions import assumptions
from aerostat.planner.costs import Costs
from aerostat.planner.parts import Part
from aerostat.planner.plan import Judged, Plan
from aerostat.planner.question import TITLES, Question
from aerostat.sim.trace import Trace


def plan_document(trace: Trace, source: str, plan: Plan) -> dict[str, Any]:
    """Everything in it."""
    document: dict[str, Any] = {
        "schema": "aerostat.plan/1",
        "aerostat": __version__,
        "accelerator": "simulated",
        "trace": {
            "source": source,
            "vms": trace.vms,
            "vms_used": plan.training.vms,
            "sample_s": trace.sample_s,
            "notes": list(trace.notes),
            "max_mean_bytes": round(float(plan.training.max_bytes.mean())),
            "used_mean_bytes": round(float(plan.training.used_bytes.mean())),
        },
        "question": _question(plan.question),
        "training": _part(plan.training),
        "later": _part(plan.later),
        "techniques": [_judged(one, plan) for one in plan.techniques],
        "vms": [_vm(one) for one in plan.vms],
        "assumptions": list(assumptions(plan)),
    }
    if plan.worst_hour is not None:
        hour = plan.worst_hour
        document["worst_hour"] = {
            "unmet_ratio": hour.unmet_ratio,
            "block": hour.block + 1,
            "hour": hour.hour,
            "wanted_ratio": hour.wanted_ratio,
        }
    if plan.host_lost is not None:
        lost = plan.host_lost
        document["host_lost"] = {
            "hosts": plan.question.hosts,
            "guests": lost.guests,
            "later": _costs(lost.later),
            "is_within": lost.is_within,
            "safe_guests": lost.safe_guests,
            "safe_later": _costs(lost.safe_later),
            "safe_is_within": lost.safe_is_within,
        }
    return document


def _question(question: Question) -> dict[str, Any]:
    return {
        "host_bytes": question.host_bytes,
        "supply_bytes": question.supply_bytes,
        "hosts": question.hosts,
        "unmet_ratio_max": question.unmet_ratio_max,
        "pressed_ratio_max": question.pressed_ratio_max,
        "seed": question.seed,
        "resamples": question.resamples,
        "hosts_a_resample": question.hosts_a_resample,
        "reported_ratio": question.reported_ratio,
        "pool_ratio": question.pool_ratio,
        "compressed_ratio": question.compressed_ratio,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "first_block": part.first_block + 1,
        "blocks": part.blocks,
        "block_s": part.block_s,
    }


def _judged(one: Judged, plan: Plan) -> dict[str, Any]:
    fit = one.fit
    return {
        "technique": fit.technique.value,
        "title": TITLES[fit.technique],
        "guests": fit.guests,
        "guests_least": fit.guests_least,
        "guests_most": fit.guests_most,
        "overcommit_ratio": one.overcommit_ratio,
        "training": _costs(one.training),
        "later": _costs(one.later),
        "holds_later": one.holds(plan.question),
        "curve": [{"guests": n, **_costs(costs)} for n, costs in fit.curve.items()],
    }


def _costs(costs: Costs) -> dict[str, Any]:
    return {
        "unmet_ratio": costs.unmet_ratio,
        "pressed_ratio": costs.pressed_ratio,
        "compressed_ratio": costs.compressed_ratio,
        "resident_bytes": round(costs.resident_bytes),
    }


def _vm(one: VmAdvice) -> dict[str, Any]:
    return {
        "name": one.name,
        "booted_bytes": one.booted_bytes,
        "typical_bytes": one.typical_bytes,
        "peak_bytes": one.peak_bytes,
        "min_bytes": one.min_bytes,
        "max_bytes": one.max_bytes,
        "weight": one.weight,
        "later_above_max_ratio": one.later_above_max_ratio,
    }
