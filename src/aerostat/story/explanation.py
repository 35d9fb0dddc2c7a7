"""What ``aerostat explain`` says of a guest: first as a document, then in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aerostat.config import Config
from aerostat.engine.explain import explain, explain_effect, host_words
from aerostat.engine.prospects import Prospects, bound_words
from aerostat.model.effect import Effect
from aerostat.present.printable import printable
from aerostat.store import LastSeen, Move
from aerostat.story.remembered import Freshness, heading, known_only, utc
from aerostat.units import format_duration, format_size

SCHEMA = "aerostat.explain/1"

NO_EFFECT = (Effect.ORDERS_MOVE_NOTHING, Effect.NOTHING_IS_ORDERED)

MOVES_MAX = 10
"""So many of the last changes are told; the document has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything known of why a guest is at its size."""

    path: Path | None  # None: told by the running daemon
    now: Freshness
    seen: LastSeen
    is_gone: bool
    config: Config | None  # what the daemon ran with; None: this version cannot read it
    prospects: Prospects | None
    moves: Sequence[Move]
    since_s: float


def explanation_document(told: Explanation) -> dict[str, object]:
    """The JSON document; sizes are bytes."""
    seen, trace = told.seen, told.seen.trace
    footprint = seen.snapshot.footprint
    return {
        **heading(told.path, told.now, SCHEMA),
        "daemon": known_only(
            aerostat=seen.session.aerostat,
            started=utc(seen.session.started_wall_s),
            mode=None if told.config is None else told.config.mode.value,
            effect=seen.host.effect.value if seen.host.effect in NO_EFFECT else None,
        ),
        "guest": known_only(
            id=trace.guest,
            name=trace.name,
            run_state=seen.snapshot.run_state.value,
            seen=utc(seen.wall_s),
            seen_age_s=round(max(0.0, told.now.now_wall_s - seen.wall_s), 3),
            is_gone=told.is_gone,
            trouble=seen.snapshot.trouble,
        ),
        "memory": known_only(
            **_figures(told),
            host_held_bytes=None if footprint is None else footprint.held_bytes,
            host_held_source=None if footprint is None else footprint.held_source,
            host_swap_bytes=trace.host_swap_bytes,
            host_swapped_out_bytes=trace.host_swapped_out_bytes,
            host_swap_in_bytes_per_s=trace.host_swap_in_bytes_per_s,
            host_waiting_ratio=trace.host_waiting_ratio,
            host_rising_bytes=trace.host_rising_bytes,
            host_unsplit_bytes=trace.host_unsplit_bytes,
        ),
        "why": known_only(
            reason=trace.reason.value,
            bound=trace.bound.value,
            words=explain(trace),
            bound_words=bound_words(trace),
            was_enforced=seen.was_enforced,
            is_distressed=trace.is_distressed,
            is_stalled=trace.is_stalled,
            is_confined=trace.is_confined or None,
        ),
        "prospects": _prospects_document(told.prospects),
        "last": [_move_document(move, told.now) for move in told.moves],
    }


def explanation_answer(told: Explanation) -> dict[str, object]:
    """The document, and the same for people beside it."""
    return {**explanation_document(told), "text": explanation_text(told)}


def _figures(told: Explanation) -> dict[str, int | float | None]:
    """What is believed of it; what its kernel counts is shown as it last said, all of one age."""
    trace, said = told.seen.trace, told.seen.snapshot.statistics
    since_s = max(0.0, told.now.now_wall_s - told.seen.wall_s)
    return {
        "max_bytes": trace.max_bytes,
        "min_bytes": trace.min_bytes,
        "target_bytes": trace.target_bytes,
        "actual_bytes": trace.actual_bytes,
        "used_bytes": trace.used_bytes,
        "available_bytes": None if said is None else said.available_bytes,
        "free_bytes": None if said is None else said.free_bytes,
        "cache_bytes": None if said is None else said.cache_bytes,
        "demand_bytes": trace.demand_bytes,
        "confidence": None if trace.confidence is None else round(trace.confidence, 3),
        "figures_age_s": None
        if trace.figures_age_s is None
        else round(trace.figures_age_s + since_s, 3),
    }


def _prospects_document(prospects: Prospects | None) -> dict[str, object]:
    if prospects is None:
        return {"sentences": []}
    return known_only(
        grows_below_available_bytes=prospects.grows_below_available_bytes,
        released_below_available_bytes=prospects.released_below_available_bytes,
        headroom_bytes=prospects.headroom_bytes,
        spare_bytes=prospects.spare_bytes,
        floor_bytes=prospects.floor_bytes,
        sentences=list(prospects.sentences),
    )


def _move_document(move: Move, now: Freshness) -> dict[str, object]:
    return known_only(
        at=utc(move.wall_s),
        age_s=round(max(0.0, now.now_wall_s - move.wall_s), 3),
        reason=move.trace.reason.value,
        bound=move.trace.bound.value,
        words=explain(move.trace),
        target_before_bytes=move.trace.target_before_bytes,
        target_bytes=move.trace.target_bytes,
        outcome=outcome(move),
        reached_after_s=None if move.reached_after_s is None else round(move.reached_after_s, 3),
        last_actual_bytes=move.last_actual_bytes,
    )


def outcome(move: Move) -> str:
    """What came of a decision, as one stable word."""
    if not move.is_change:
        return "held"
    if not move.was_enforced:
        return "not_sent"
    if move.reached_after_s is not None:
        return "reached"
    return "on_its_way" if move.is_last else "overtaken"


def explanation_text(told: Explanation) -> str:
    """The same for people, in MiB and GiB."""
    lines = [*_head(told), "", "Why", *_why(told), "", "What would change it"]
    if told.prospects is None:
        lines.append("  not known: another version of Aerostat configured this daemon")
    else:
        lines += [f"  - {sentence}" for sentence in told.prospects.sentences]
    lines += ["", f"What happened in the last {format_duration(told.since_s)}", *_last(told)]
    return "\n".join(lines)


def _head(told: Explanation) -> list[str]:
    trace, name = told.seen.trace, printable(told.seen.trace.name)
    lines = [] if (warning := told.now.warning()) is None else [warning, ""]
    if told.is_gone:
        age_s = max(0.0, told.now.now_wall_s - told.seen.wall_s)
        lines.append(
            f"{name} is not there any more; it was last seen {format_duration(age_s)} ago."
        )
    target = trace.target_bytes if told.seen.was_enforced else None
    held = "an unknown amount" if trace.actual_bytes is None else format_size(trace.actual_bytes)
    sizes = f"{_sized('max', trace.max_bytes)}, {_sized('min', trace.min_bytes)}"
    lines.append(f"{name} holds {held} ({_sized('target', target)}, {sizes}).")
    lines.append(f"  in the guest: {_figures_text(told)}")
    footprint = told.seen.snapshot.footprint
    if footprint is not None and footprint.held_bytes is not None:
        held_by = f"{format_size(footprint.held_bytes)} ({footprint.held_source})"
        lines.append(f"  the host measures {held_by} for it")
    if host := host_words(trace):
        lines.append(f"  on the host: {host}")
    if told.seen.snapshot.trouble is not None:
        lines.append(f"  trouble: {printable(told.seen.snapshot.trouble)}")
    return lines


def _sized(word: str, size_bytes: int | None) -> str:
    return f"no {word}" if size_bytes is None else f"{word} {format_size(size_bytes)}"


_SHOWN = ("used", "available", "free", "cache", "demand")


def _figures_text(told: Explanation) -> str:
    figures = _figures(told)
    sizes = {name: figures[f"{name}_bytes"] for name in _SHOWN}
    known = [f"{format_size(int(size))} {name}" for name, size in sizes.items() if size is not None]
    if (age_s := figures["figures_age_s"]) is not None:
        known.append(f"figures {format_duration(age_s)} old")
        if (confidence := figures["confidence"]) is not None:
            known.append(f"{confidence:.0%} sure when it was decided")
    return ", ".join(known) or "no figures"


def _why(told: Explanation) -> list[str]:
    trace = told.seen.trace
    lines = [f"  {explain(trace)}"]
    if (bound := bound_words(trace)) is not None:
        lines.append(f"  bound by: {bound}")
    if told.seen.host.effect in NO_EFFECT:
        lines.append(f"  the daemon has no effect: {explain_effect(told.seen.host)}")
    if not told.seen.was_enforced:
        mode = "does not enforce" if told.config is None else f"is in mode {told.config.mode.value}"
        lines.append(f"  nothing of this is sent: the daemon {mode}")
    return lines


def _last(told: Explanation) -> list[str]:
    if not told.moves:
        return ["  nothing"]
    moves = told.moves[-MOVES_MAX:]
    lines = []
    if len(told.moves) > len(moves):
        lines.append(f"  {len(told.moves) - len(moves)} earlier changes (all with -o json)")
    for move in moves:
        age = format_duration(max(0.0, told.now.now_wall_s - move.wall_s))
        lines.append(f"  {age:>7} ago  {explain(move.trace)}{outcome_words(move)}")
    return lines


def outcome_words(move: Move) -> str:
    """What came of a decision, to put behind its words."""
    actual = move.last_actual_bytes
    at = "" if actual is None else f" at {format_size(actual)}"
    match outcome(move):
        case "reached":
            return f" [reached after {format_duration(move.reached_after_s or 0.0)}]"
        case "on_its_way":
            return f" [not reached yet{at and ': it is' + at}]"
        case "overtaken":
            return f" [not reached before the next target{at and ': it was' + at}]"
        case "not_sent":
            return " [not sent]"
        case _:
            return ""
