"""Finds values that are right by themselves and contradict each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address
from itertools import pairwise

from aerostat.config.document import (
    AdvancedTable,
    ApiTable,
    Document,
    GuestsTable,
    GuestTable,
    HostTable,
    LadderTable,
)
from aerostat.config.lines import KeyPath
from aerostat.config.values import shown, write_amount, write_duration, write_share, write_size
from aerostat.model.limits import Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two settings that cannot both hold, reported at ``where``."""

    where: KeyPath
    involved: tuple[KeyPath, ...]  # if one of these is wrong by itself, this is not worth saying
    message: str


def contradictions(document: Document) -> Iterator[Contradiction]:
    """All of them, in the order of the file's tables."""
    yield from _host(document.host)
    yield from _guest_sizes(document.guests, ("guests",), document)
    for index, rule in enumerate(document.guest):
        yield from _guest_sizes(rule, ("guest", index), document)
    yield from _nameless_rules(document.guest)
    yield from _shadowed_rules(document.guest)
    yield from _ladder(document.ladder)
    yield from _api(document.api)
    yield from _advanced(document.advanced)


def _host(host: HostTable) -> Iterator[Contradiction]:
    reserved = (host.reserve.max_ratio or 0.0) + (host.burst_reserve.max_ratio or 0.0)
    if reserved >= 1:
        key = ("host", "reserve")
        yield Contradiction(
            where=key,
            involved=(key, ("host", "burst_reserve")),
            message=f"reserve and burst_reserve together are {write_share(reserved)} of the host, "
            'which leaves its guests nothing: write for example "10%" and "5%"',
        )
    burst_bytes = host.burst_reserve.size_bytes
    if host.budget is not None and burst_bytes is not None and burst_bytes >= host.budget:
        key = ("host", "burst_reserve")
        yield Contradiction(
            where=key,
            involved=(key, ("host", "budget")),
            message=f"{write_size(burst_bytes)} is all of the budget of {write_size(host.budget)}: "
            'write less, for example "5%"',
        )


def _guest_sizes(
    table: GuestsTable | GuestTable, place: KeyPath, document: Document
) -> Iterator[Contradiction]:
    own_min, own_max = table.min, table.max
    least = document.guests.min if own_min is None else own_min
    most = document.guests.max if own_max is None else own_max
    min_key: KeyPath = ("guests", "min") if own_min is None else (*place, "min")
    max_key: KeyPath = ("guests", "max") if own_max is None else (*place, "max")
    says_something = own_min is not None or own_max is not None
    if says_something and most is not None and _is_more(least, most):
        yield Contradiction(
            where=max_key if own_max is not None else min_key,
            involved=(min_key, max_key),
            message=f"min {write_amount(least)} is above max {write_amount(most)}: "
            f"raise max to at least {write_amount(least)} or lower min",
        )
    floor_bytes = document.advanced.guest_floor
    for key, amount in (("min", own_min), ("max", own_max)):
        if amount is not None and amount.size_bytes is not None and amount.size_bytes < floor_bytes:
            yield Contradiction(
                where=(*place, key),
                involved=((*place, key), ("advanced", "guest_floor")),
                message=f"{write_amount(amount)} is less than a guest's system lives in "
                f"(advanced.guest_floor, {write_size(floor_bytes)}): "
                f'write at least "{write_size(floor_bytes)}", or a share such as "25%"',
            )


def _is_more(least: Amount, most: Amount) -> bool:
    """Whether min is above max for every guest; a size and a share cannot be compared here."""
    if least.size_bytes is not None and most.size_bytes is not None:
        return least.size_bytes > most.size_bytes
    if least.max_ratio is not None and most.max_ratio is not None:
        return least.max_ratio > most.max_ratio
    return False


def _nameless_rules(rules: tuple[GuestTable, ...]) -> Iterator[Contradiction]:
    for index, rule in enumerate(rules):
        if rule.name is None and rule.tag is None:
            name, tag = ("guest", index, "name"), ("guest", index, "tag")
            yield Contradiction(
                where=name,
                involved=(name, tag),
                message='name is missing: write name = "db-*", or tag = "production"',
            )


def _shadowed_rules(rules: tuple[GuestTable, ...]) -> Iterator[Contradiction]:
    for index, rule in enumerate(rules):
        for earlier_index, earlier in enumerate(rules[:index]):
            if not _hides(earlier, rule):
                continue
            kind = "tag" if rule.name is None else "name"
            key = ("guest", index, kind)
            yield Contradiction(
                where=key,
                involved=(
                    *(("guest", index, one) for one in ("name", "tag")),
                    *(("guest", earlier_index, one) for one in ("name", "tag")),
                ),
                message=f"{shown(getattr(rule, kind))} is never reached, because the first match "
                f"wins and guest[{earlier_index}] {shown(earlier.name or earlier.tag)} comes "
                "before it: put the narrower rule first",
            )
            break


def _hides(earlier: GuestTable, rule: GuestTable) -> bool:
    """Whether every guest that a rule could be for is one of an earlier rule's."""
    if rule.name is None and rule.tag is None:
        return False  # told as what it is
    if earlier.name is not None and set(earlier.name) == {"*"}:
        return True
    return _covers(earlier.name, rule.name) and _covers(earlier.tag, rule.tag)


def _covers(glob: str | None, other: str | None) -> bool:
    """Whether one glob matches all that another one can match."""
    if glob is None or other is None or glob == other:
        return other is None or glob == other
    # With stars as its only wildcards, a glob that matches another's text matches all that the
    # other can match.
    has_only_stars = not set(glob) & set("?[")
    return has_only_stars and fnmatchcase(other, glob)


def _ladder(ladder: LadderTable) -> Iterator[Contradiction]:
    states = ("comfortable", "soft", "hard", "critical")
    for milder, worse in pairwise(states):
        missing = [s for s in getattr(ladder, milder) if s not in getattr(ladder, worse)]
        if missing:
            key = ("ladder", milder)
            yield Contradiction(
                where=key,
                involved=(key, ("ladder", worse)),
                message=f'"{missing[0].value}" is missing in {worse}: '
                "the shorter the host, the more may be used, never less",
            )
    for one, other in (("swap_file", "swap_size"), ("swap_size", "swap_file")):
        if getattr(ladder, one) is not None and getattr(ladder, other) is None:
            yield Contradiction(
                where=("ladder", one),
                involved=(("ladder", "swap_file"), ("ladder", "swap_size")),
                message=f"{one} needs {other} beside it: write both, "
                'such as swap_file = "/var/lib/aerostat/swap" and swap_size = "8GiB"',
            )


def _api(api: ApiTable) -> Iterator[Contradiction]:
    listen: KeyPath = ("api", "listen")
    if api.listen is not None and api.token_file is None:
        yield Contradiction(
            where=listen,
            involved=(listen, ("api", "token_file")),
            message="whoever reaches this address could command: write a secret into a file, for "
            'example with openssl rand -hex 32, and name it: token_file = "/etc/aerostat/token"',
        )
    if api.listen is not None and api.certificate is None:
        host = api.listen.rpartition(":")[0].removeprefix("[").removesuffix("]")
        if not ip_address(host).is_loopback:
            yield Contradiction(
                where=listen,
                involved=(listen, ("api", "certificate")),
                message=f"{shown(api.listen)} is reached from elsewhere, and the token would go "
                "there in the clear: name a certificate and its key, or listen on 127.0.0.1",
            )
    if (api.certificate is None) != (api.key is None):
        given = "certificate" if api.key is None else "key"
        yield Contradiction(
            where=("api", given),
            involved=(("api", "certificate"), ("api", "key")),
            message="certificate and key are given together, each a PEM file",
        )


def _advanced(advanced: AdvancedTable) -> Iterator[Contradiction]:
    durations = (
        ("round_moving", advanced.round_moving, "round", advanced.round),
        ("stall_retry", advanced.stall_retry, "stall_retry_max", advanced.stall_retry_max),
    )
    for lower, lower_s, upper, upper_s in durations:
        if lower_s > upper_s:
            yield _upside_down(lower, write_duration(lower_s), upper, write_duration(upper_s))
    sizes = (
        ("headroom_min", advanced.headroom_min, "headroom_max", advanced.headroom_max),
        ("dead_band", advanced.dead_band, "step_rate", advanced.step_rate),
        ("step_rate", advanced.step_rate, "host_step_rate", advanced.host_step_rate),
    )
    for lower, lower_bytes, upper, upper_bytes in sizes:
        if lower_bytes > upper_bytes:
            yield _upside_down(lower, write_size(lower_bytes), upper, write_size(upper_bytes))
    if advanced.step <= 0:
        key = ("advanced", "step")
        yield Contradiction(
            where=key, involved=(key,), message='"0%" would take nothing: write a share as "5%"'
        )


def _upside_down(lower: str, lower_text: str, upper: str, upper_text: str) -> Contradiction:
    key = ("advanced", lower)
    return Contradiction(
        where=key,
        involved=(key, ("advanced", upper)),
        message=f"{lower} {lower_text} is above {upper} {upper_text}: "
        f"lower {lower}, or raise {upper} to at least {lower_text}",
    )
