"""A plan's answer in sentences, the same on the terminal and on the page."""

from collections.abc import Mapping
from typing import Any

from aerostat.present.wording import format_percent
from aerostat.units import format_duration, format_size

DAY_S = 86_400.0


def technique(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One of them."""
    found: Mapping[str, Any] = next(
        one for one in document["techniques"] if one["technique"] == name
    )
    return found


def headline(document: Mapping[str, Any]) -> str:
    """The answer."""
    host = format_size(document["question"]["host_bytes"])
    best, plain = technique(document, "ballooning"), technique(document, "reserved")
    if best["guests"] == 0:
        return f"Not one of these VMs fits on a host of {host} within the bounds"
    return (
        f"{best['guests']} of these VMs fit on a host of {host} with ballooning, "
        f"{plain['guests']} where every VM has its own memory"
    )


def details(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What belongs to it: how sure, what was judged on, the worst hour, a host lost."""
    best = technique(document, "ballooning")
    said = [_source(document), _judgement(best)]
    if "worst_hour" in document:
        said.append(_worst(document))
    if "host_lost" in document:
        said.append(_lost(document["host_lost"]))
    said += [_advised(document), _reported(document)]
    return tuple(said)


def _source(document: Mapping[str, Any]) -> str:
    trace, training, later = document["trace"], document["training"], document["later"]
    left_out = trace["vms"] - trace["vms_used"]
    more = f" ({left_out} larger than a host left out)" if left_out else ""
    sizes = format_size(trace["max_mean_bytes"]), format_size(trace["used_mean_bytes"])
    return (
        f"From {trace['vms_used']} VMs{more} of {sizes[0]} on the mean, {sizes[1]} in use. "
        f"Planned on {_span(training)}, judged on {_span(later)} that were not looked at before."
    )


def _span(part: Mapping[str, Any]) -> str:
    count, block_s = part["blocks"], part["block_s"]
    if block_s >= DAY_S:
        return f"{count} day{'s' if count != 1 else ''}"
    return format_duration(count * block_s)


def _judgement(best: Mapping[str, Any]) -> str:
    within = "within the bounds" if best["holds_later"] else "NOT within the bounds"
    return (
        f"Resampled, {best['guests_least']} to {best['guests_most']} fit. With {best['guests']}, "
        f"{best['training']['unmet_ratio']:.2%} of what was wanted lacked in training, and "
        f"{best['later']['unmet_ratio']:.2%} later: {within}."
    )


def _worst(document: Mapping[str, Any]) -> str:
    hour = document["worst_hour"]
    days = document["training"]["block_s"] >= DAY_S
    when = (
        f"day {hour['block']} of the trace, {hour['hour']:02d}:00 to {hour['hour'] + 1:02d}:00 "
        "after its first sample"
        if days
        else f"hour {hour['hour'] + 1} of part {hour['block']} of the trace"
    )
    return (
        f"The worst hour of the later part: {hour['unmet_ratio']:.1%} lacked on one host "
        f"({when}), where {format_percent(hour['wanted_ratio'])} of what the host has for guests "
        "was wanted on the mean."
    )


def _lost(lost: Mapping[str, Any]) -> str:
    bounds, safe = (
        "within the bounds" if lost[key] else "beyond the bounds"
        for key in ("is_within", "safe_is_within")
    )
    return (
        f"Should one of {lost['hosts']} hosts be lost, each other one takes {lost['guests']}: "
        f"{lost['later']['unmet_ratio']:.2%} would lack, {bounds}. Up to {lost['safe_guests']} a "
        f"host, the loss of one is planned for: {lost['safe_later']['unmet_ratio']:.2%} lacked "
        f"then in the later part, {safe}."
    )


def _advised(document: Mapping[str, Any]) -> str:
    best = technique(document, "ballooning_advised")
    within = "within the bounds" if best["holds_later"] else "NOT within the bounds"
    return (
        f"With the limits recommended below, {best['guests']} fit; later "
        f"{best['later']['unmet_ratio']:.2%} lacked, with what was wanted above a max: {within}."
    )


def _reported(document: Mapping[str, Any]) -> str:
    plain, reporting = (
        technique(document, name)["later"]["resident_bytes"]
        for name in ("ballooning", "ballooning_reporting")
    )
    supply = document["question"]["supply_bytes"]
    return (
        f"Guests' memory lies in {format_percent(plain / supply)} of what a host has for them on "
        "the mean, with free page reporting beside balloons in "
        f"{format_percent(reporting / supply)}."
    )
