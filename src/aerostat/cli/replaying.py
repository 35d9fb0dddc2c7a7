"""A replay in words for people, and as a document."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aerostat import __version__
from aerostat.present.wording import format_percent
from aerostat.replay.advised import Advice, GuestAdvice
from aerostat.replay.again import Difference, Reproduction
from aerostat.replay.lived import Lived, LivedWorld
from aerostat.replay.run import Replay
from aerostat.store.recording import RecordingHeader
from aerostat.story.remembered import known_only, utc
from aerostat.units import format_duration, format_size

GUESTS_SHOWN = 12

OPEN_LIMITS = (
    (
        "Open loop: figures and sizes are those of what was really done; nobody follows the "
        "advice, so the same advice comes again, and no guest feels it. A wish is what a policy "
        "wants a guest to have before the guard; more and less are shares of the time. Other "
        "balancers' rules stand behind our guard here, as in the daemon."
    ),
)
CLOSED_LIMITS = (
    (
        "Closed loop: a simulated host with the recorded demand, a second a tick. Demand is what "
        "guests were seen to use: what one wanted beyond what it held is not in it. Supply is the "
        "median of the recording's; guests that were away hold on to their place; all are managed. "
        "Other balancers' rules run as they are published, without our guard. 'As recorded' is "
        "simulated too: compare with that."
    ),
)


def replay_document(path: Path, header: RecordingHeader, replay: Replay) -> dict[str, Any]:
    """The document of ``aerostat replay -o json`` (``aerostat.replay/1``)."""
    document: dict[str, Any] = {
        "schema": "aerostat.replay/1",
        "aerostat": __version__,
        "recording": {
            "path": str(path),
            "aerostat": sorted({session.aerostat for session in header.sessions.values()}),
            "first": utc(header.first_wall_s),
            "last": utc(header.last_wall_s),
            "parts": header.parts,
            "rounds": header.rounds,
            "guests": header.guests,
        },
        "reproduction": _reproduced(replay.reproduction),
    }
    if replay.advice:
        document["open_loop"] = {
            "limits": list(OPEN_LIMITS),
            "alternatives": [_advised(advice) for advice in replay.advice],
        }
    if replay.world is not None:
        document["closed_loop"] = {
            "limits": list(CLOSED_LIMITS),
            "world": _world(replay.world),
            "arms": [_lived(one) for one in replay.lived],
        }
    return document


def _reproduced(found: Reproduction) -> dict[str, Any]:
    return known_only(
        is_exact=found.is_exact,
        is_same_engine=found.is_same_engine,
        rounds=found.rounds,
        decisions=found.decisions,
        differing_rounds=found.differing_rounds,
        first_difference=None if found.first is None else _difference(found.first),
    )


def _difference(first: Difference) -> dict[str, Any]:
    return known_only(
        session=first.session,
        round=first.round_number,
        at=utc(first.wall_s),
        guest=first.guest,
        name=first.name,
        what=first.what,
        recorded=first.recorded,
        decided=first.decided,
    )


def _advised(advice: Advice) -> dict[str, Any]:
    first = advice.first_round
    return known_only(
        name=advice.alternative.name,
        policy=None if advice.alternative.policy is None else advice.alternative.policy.value,
        settings=list(advice.alternative.settings),
        rounds=advice.rounds,
        differing_rounds=advice.differing_rounds,
        failed_rounds=advice.failed_rounds,
        first_differing_round=None if first is None else {"round": first[1], "at": utc(first[0])},
        guests=[_guest(guest, one) for guest, one in sorted(advice.guests.items())],
    )


def _guest(guest: str, advice: GuestAdvice) -> dict[str, Any]:
    return known_only(
        guest=guest,
        name=advice.name,
        seconds_s=round(advice.seconds_s, 3),
        more_s=round(advice.more_s, 3),
        less_s=round(advice.less_s, 3),
        recorded_mean_bytes=_whole(advice.recorded_mean_bytes),
        advised_mean_bytes=_whole(advice.advised_mean_bytes),
        advised_least_bytes=advice.least_bytes,
        recorded_commands=advice.recorded_commands,
        advised_commands=advice.advised_commands,
        reasons={reason.value: count for reason, count in sorted(advice.reasons.items())},
    )


def _whole(figure: float | None) -> int | None:
    return None if figure is None else round(figure)


def _world(world: LivedWorld) -> dict[str, Any]:
    return {
        "guests": len(world.guests),
        "seconds_s": world.samples,
        "supply_bytes": world.supply_bytes,
        "supply_least_bytes": min(world.demand.supply_bytes),
        "supply_most_bytes": max(world.demand.supply_bytes),
        "peak_demand_ratio": round(world.demand_ratio, 4),
        "hidden_demand_ratio": round(world.demand.hidden_ratio, 4),
    }


def _lived(one: Lived) -> dict[str, Any]:
    return {
        "name": "as recorded" if one.alternative is None else one.alternative.name,
        "policy": one.policy.value,
        "settings": [] if one.alternative is None else list(one.alternative.settings),
        "unmet_ratio": one.unmet_ratio,
        "worst_unmet_ratio": one.worst_unmet_ratio,
        "distressed_s": one.distressed_s,
        "below_reserve_s": one.below_reserve_s,
        "churn_bytes": one.churn_bytes,
        "guest_swap_in_bytes": one.swap_in_bytes,
        "guest_swap_out_bytes": one.swap_out_bytes,
        "digest": one.digest,
    }


def replay_text(document: Mapping[str, Any]) -> RenderableType:
    """The same for people, in 80 columns."""
    parts: list[RenderableType] = [_heading(document["recording"]), Text()]
    parts.append(_reproduction_text(document["reproduction"]))
    for alternative in document.get("open_loop", {}).get("alternatives", ()):
        parts += [Text(), *_open_text(alternative)]
    if "closed_loop" in document:
        parts += [Text(), *_closed_text(document["closed_loop"])]
    for loop in ("open_loop", "closed_loop"):
        parts += [
            Text(f"\n{limit}", style="dim") for limit in document.get(loop, {}).get("limits", ())
        ]
    return Group(*parts)


def _heading(recording: Mapping[str, Any]) -> Text:
    return Text(
        f"{recording['path']}\n{recording['rounds']:,} rounds of {recording['guests']} guests, "
        f"{recording['first'][:19]} to {recording['last'][:19]} UTC, "
        f"by Aerostat {', '.join(recording['aerostat'])}"
    )


def _reproduction_text(found: Mapping[str, Any]) -> Text:
    if found["is_exact"]:
        return Text(
            f"Decided again: all {found['decisions']:,} decisions in {found['rounds']:,} rounds "
            "are the same, to the last bit.",
            style="green",
        )
    first = found["first_difference"]
    who = "the round" if "guest" not in first else first["name"]
    text = (
        f"Decided again: {found['differing_rounds']:,} of {found['rounds']:,} rounds differ. First "
        f"in round {first['round']} ({first['at']}), {who}: {first['what']} was "
        f"{first['recorded']}, is {first['decided']}."
    )
    if found["is_same_engine"]:
        return Text(f"{text} It is the same engine: this must not be.", style="bold red")
    return Text(
        f"{text} Another engine decided then (its sources were others), so it may differ.",
        style="yellow",
    )


def _open_text(advised: Mapping[str, Any]) -> list[RenderableType]:
    head = (
        f"Open loop, {advised['name']}: would have sent other targets in "
        f"{advised['differing_rounds']:,} of {advised['rounds']:,} rounds"
    )
    if first := advised.get("first_differing_round"):
        head += f", first in round {first['round']} ({first['at'][11:19]})"
    if advised["failed_rounds"]:
        head += f"; could not decide in {advised['failed_rounds']:,}"
    table = Table("guest", box=None, header_style="bold", pad_edge=False)
    for name in ("wish was", "would be", "more", "less", "sent", "would", "least"):
        table.add_column(name, justify="right", no_wrap=True)
    # Those first of whom others would have been wished longest.
    guests = sorted(advised["guests"], key=lambda g: (-g["more_s"] - g["less_s"], g["guest"]))
    for guest in guests[:GUESTS_SHOWN]:
        seconds = guest["seconds_s"] or 1.0
        table.add_row(
            guest["name"],
            _size(guest.get("recorded_mean_bytes")),
            _size(guest.get("advised_mean_bytes")),
            format_percent(guest["more_s"] / seconds),
            format_percent(guest["less_s"] / seconds),
            f"{guest['recorded_commands']:,}",
            f"{guest['advised_commands']:,}",
            _size(guest.get("advised_least_bytes")),
        )
    shown: list[RenderableType] = [Text(head, style="bold"), table]
    if len(guests) > GUESTS_SHOWN:
        shown.append(Text(f"and {len(guests) - GUESTS_SHOWN} more: -o json has all", style="dim"))
    return shown


def _closed_text(closed: Mapping[str, Any]) -> list[RenderableType]:
    world = closed["world"]
    head = (
        f"Closed loop (simulated): {world['guests']} guests, "
        f"{format_duration(world['seconds_s'])}, {format_size(world['supply_bytes'])} for all; at "
        f"most {format_percent(world['peak_demand_ratio'])} of that was wanted. As recorded: "
        f"{closed['arms'][0]['policy']}"
    )
    settings = " ".join(closed["arms"][-1]["settings"])
    if settings:
        head += f"; all others with {settings}"
    table = Table("policy", box=None, header_style="bold", pad_edge=False)
    for name in ("unmet", "worst guest", "distress", "over supply", "moved", "swapped in"):
        table.add_column(name, justify="right", no_wrap=True)
    for arm in closed["arms"]:
        table.add_row(
            "as recorded" if arm["name"] == "as recorded" else _arm_name(arm, settings),
            f"{arm['unmet_ratio']:.2%}",
            f"{arm['worst_unmet_ratio']:.2%}",
            format_duration(arm["distressed_s"]),
            format_duration(arm["below_reserve_s"]),
            format_size(arm["churn_bytes"]),
            format_size(arm["guest_swap_in_bytes"]),
        )
    hidden = (
        f"Guests were at their limit in {format_percent(world['hidden_demand_ratio'])} of what was "
        "seen of them: there demand is known only from below."
    )
    return [Text(head, style="bold"), table, Text(hidden)]


def _arm_name(arm: Mapping[str, Any], settings: str) -> str:
    """Without the settings, which all have in common."""
    name = str(arm["name"])
    policy = name.removesuffix(settings).strip()
    return "same policy" if policy == "as recorded" else policy


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else format_size(size_bytes)
