"""What Prometheus is told of each VM: thousands of lines, written by hand.

The client library makes an object of each sample and escapes its labels anew: 25 ms for 200 VMs,
while the daemon's loop waits for the interpreter. A test holds these lines to what it would write.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from aerostat.api.account import share_of
from aerostat.control.orders import Ordered
from aerostat.engine.eligibility import is_eligible, steps_that_take
from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.plan import GuestTrace

Figure = Callable[[GuestSnapshot, GuestTrace], float | None]

GUEST_FIGURES: tuple[tuple[str, str, Figure], ...] = (
    ("memory_max_bytes", "RAM the guest booted with", lambda g, _: g.max_bytes),
    ("memory_min_bytes", "The operator's guarantee", lambda _, t: t.min_bytes),
    ("memory_actual_bytes", "What it holds: max less its balloon", lambda _, t: t.actual_bytes),
    ("memory_target_bytes", "What it was asked to hold", lambda _, t: t.target_bytes),
    ("memory_demand_bytes", "Working set and headroom", lambda _, t: t.demand_bytes),
    ("memory_used_bytes", "Actual less what is available", lambda _, t: t.used_bytes),
    ("memory_available_bytes", "As the guest's kernel says", lambda _, t: t.available_bytes),
    ("memory_free_bytes", "As the guest's kernel says", lambda _, t: t.free_bytes),
    ("memory_cache_bytes", "As the guest's kernel says", lambda _, t: t.cache_bytes),
    ("swap_in_bytes_per_second", "Read back from its own swap", lambda _, t: t.swap_in_bytes_per_s),
    ("swap_out_bytes_per_second", "Sent to its own swap", lambda _, t: t.swap_out_bytes_per_s),
    ("major_faults_per_second", "Pages it had to fetch", lambda _, t: t.major_faults_per_s),
    ("pressure_some_ratio", "Of the time, some of it waited for memory; needs an agent in it",
     lambda _, t: t.pressure_some_ratio),
    ("statistics_age_seconds", "Age of its own figures when last looked at",
     lambda _, t: t.figures_age_s),
    ("host_held_bytes", "What the host measures for it", lambda g, _: _held(g)),
    ("host_swap_bytes", "What of it lies in the host's swap", lambda _, t: t.host_swap_bytes),
    ("host_waiting_ratio", "Of the time, one of its threads waited for the host's memory",
     lambda _, t: t.host_waiting_ratio),
    ("host_limit_bytes", "The lowest memory limit of its own cgroup",
     lambda g, _: None if g.footprint is None else g.footprint.limit_bytes),
    ("host_locked_bytes", "Locked, pinned or huge pages: never reclaimed",
     lambda g, _: None if g.footprint is None else g.footprint.locked_bytes),
    ("has_balloon", "1: it has a balloon device", lambda g, _: _truth(g.has_balloon)),
    ("deflates_on_oom", "1: its balloon may let go by itself",
     lambda g, _: _truth(g.deflates_on_oom)),
    ("confined", "1: a memory limit of its own cgroup makes it wait",
     lambda _, t: int(t.is_confined)),
    ("distressed", "1: short of memory", lambda _, t: int(t.is_distressed)),
    ("stalled", "1: its balloon does not move", lambda _, t: int(t.is_stalled)),
    ("doubted", "1: the host holds much more for it than it says", lambda _, t: int(t.is_doubted)),
    ("owed", "1: in distress with less than its share by weight, which others hold",
     lambda _, t: int(t.is_owed)),
    ("at_min", "1: it holds no more than its min",
     lambda _, t: None if None in (t.actual_bytes, t.min_bytes)
     else int((t.actual_bytes or 0) <= (t.min_bytes or 0))),
    ("ballooned_bytes", "Max less actual",
     lambda g, t: None if None in (g.max_bytes, g.actual_bytes)
     else share_of(g, t).ballooned_bytes),
    ("reachable", "1: its hypervisor answers",
     lambda g, _: int(g.run_state is not RunState.UNREACHABLE)),
)  # fmt: skip


def _held(guest: GuestSnapshot) -> int | None:
    return None if guest.footprint is None else guest.footprint.held_bytes


def _truth(value: bool | None) -> int | None:
    return None if value is None else int(value)


class Labels:
    """The labels of each VM as text, kept from one time to the next."""

    def __init__(self) -> None:
        self._texts: dict[GuestId, tuple[str, str]] = {}

    def of(self, guest: GuestSnapshot) -> str:
        """In braces, escaped."""
        known = self._texts.get(guest.guest)
        if known is None or known[0] != guest.name:
            text = f'{{guest="{_escaped(guest.name)}",id="{_escaped(guest.guest)}"}}'
            known = self._texts[guest.guest] = (guest.name, text)
        return known[1]

    def keep(self, guests: Iterable[GuestId]) -> None:
        """Forget all others."""
        self._texts = {guest: self._texts[guest] for guest in guests if guest in self._texts}


def guest_lines(
    pairs: Sequence[tuple[GuestSnapshot, GuestTrace]],
    orders: Mapping[GuestId, Ordered],
    labels: Labels,
    params: EngineParams,
) -> str:
    """All samples of all VMs; an absent value is no sample."""
    labelled = [(guest, trace, labels.of(guest)) for guest, trace in pairs]
    lines = []
    for name, words, figure in GUEST_FIGURES:
        full = f"aerostat_guest_{name}"
        lines.append(_head(full, words))
        for guest, trace, label in labelled:
            if (value := figure(guest, trace)) is not None:
                lines.append(f"{full}{label} {float(value)!r}\n")
    lines.append(_head("aerostat_guest_reason", "1: why it has its target"))
    lines += [_word("reason", label, trace.reason.value) for _, trace, label in labelled]
    lines.append(_head("aerostat_guest_ordered", "1: an operator said so"))
    for guest, _, label in labelled:
        if guest.guest in orders:
            standing = orders[guest.guest].order.standing
            word = "limits" if standing is None else standing.value
            lines.append(_word("ordered", label, word, name="standing"))
    lines.append(_head("aerostat_guest_eligible", "1: this step may take of it, 0: it may not"))
    for step in steps_that_take(params):
        for guest, _, label in labelled:
            if (may := is_eligible(guest, step, params)) is not None:
                lines.append(_word("eligible", label, step.value, name="step", value=int(may)))
    return "".join(lines)


def _head(full: str, words: str) -> str:
    return f"# HELP {full} {words}\n# TYPE {full} gauge\n"


def _word(family: str, label: str, word: str, *, name: str = "reason", value: float = 1) -> str:
    return f'aerostat_guest_{family}{label[:-1]},{name}="{word}"}} {float(value)!r}\n'


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
