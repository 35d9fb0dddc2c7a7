"""``aerostat show``: one VM in full, every figure with where it is from and how old it is."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aerostat.cli.asked import Ca, Daemon, SocketPath, Url, guest_path
from aerostat.cli.options import Output, OutputFormat
from aerostat.cli.watching import Watch, present
from aerostat.present.printable import printable
from aerostat.present.wording import ABSENT, format_percent
from aerostat.units import format_duration, format_size


def show(
    vm: Annotated[str, typer.Argument(metavar="VM", help="Its name, or its id.")],
    watch: Watch = False,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show one VM in full: every figure, where it is from, and how old it is.

    Why it is at its size, and what would change that, says aerostat explain.
    """
    with closing(Daemon(socket, url, ca)) as daemon:
        present(
            lambda: daemon.get(guest_path(vm)),
            lambda guest, _: one_guest(guest),
            output,
            watch=watch,
        )


def one_guest(guest: dict[str, Any]) -> RenderableType:
    """A VM's document for people."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("from", overflow="fold")
    table.add_column("age", justify="right", no_wrap=True)
    for section, figures in _SECTIONS:
        rows = [figure.row(guest) for figure in figures if figure.is_shown(guest)]
        if rows:
            table.add_row(Text(section, style="bold"))
        for row in rows:
            table.add_row(*row)
    return Group(*_head(guest), Text(""), table)


def _head(guest: dict[str, Any]) -> Iterator[Text]:
    named = printable(guest["name"])
    whose = "" if guest["id"] == guest["name"] else f" ({printable(guest['id'])})"
    yield Text(f"{named}{whose}, {guest['run_state']}")
    yield Text(printable(guest["words"]), style="red" if guest["is_distressed"] else "")
    if not guest["was_enforced"]:
        yield Text("nothing of this is sent: the daemon does not enforce")
    for name in ("host_words", "trouble"):
        if name in guest:
            yield Text(printable(guest[name]))
    yield from _marks(guest)


def _marks(guest: dict[str, Any]) -> Iterator[Text]:
    words = [words for key, words in _MARKS.items() if guest.get(key)]
    if not guest.get("is_managed", True):
        words.append("watched, never moved")
    if guest.get("has_balloon") is False:
        words.append("has no balloon")
    if words:
        yield Text("it " + ", ".join(words))
    if guest.get("exempt"):
        yield Text("spared: " + ", ".join(guest["exempt"]))
    if guest.get("tags"):
        yield Text(printable("tags: " + ", ".join(guest["tags"])))
    if "order" in guest:
        order = guest["order"]
        told = [f"{key} {_ordered(order[key])}" for key in ("min", "max") if key in order]
        told += [f"weight {order['weight']}"] if "weight" in order else []
        told = ([order["standing"]] if "standing" in order else []) + told
        left = f", for {format_duration(order['left_s'])} more" if "left_s" in order else ""
        yield Text(printable(f"ordered by {order.get('who', 'somebody')}: {', '.join(told)}{left}"))


def _ordered(limit: int | str) -> str:
    """A size, or a share as it was ordered."""
    return format_size(limit) if isinstance(limit, int) else limit


_MARKS = {
    "is_stalled": "is stalled: its balloon does not move",
    "is_doubted": "is doubted: the host holds much more for it than it says",
    "is_owed": "lacks what it is due by weight, which others hold",
    "is_confined": "waits at a memory limit of its own cgroup",
    "is_backing_up": "is being backed up",
    "deflates_on_oom": "may take memory back by itself (deflate-on-oom)",
}


@dataclass(frozen=True, kw_only=True)
class _Figure:
    key: str
    words: str
    form: Callable[[Any], str]
    source: str  # a key in braces is replaced by what the document says there
    age_key: str | None = None  # None: it is no measurement
    is_rare: bool = False  # not worth a line where it is absent

    def is_shown(self, guest: dict[str, Any]) -> bool:
        return self.key in guest or not self.is_rare

    def row(self, guest: dict[str, Any]) -> tuple[str, Text, str, str]:
        why = guest.get("absent", {}).get(self.key.removeprefix("guest_"))
        if self.key not in guest:
            source = self.source.partition(" {")[0]
            told = source if why is None else f"{source}: {why.replace('_', ' ')}"
            return "  " + self.words, Text(ABSENT, style="dim"), told, ""
        age_s = None if self.age_key is None else guest.get(self.age_key)
        source = self.source.format_map(_Known(guest))
        age = "" if age_s is None else format_duration(age_s)
        return "  " + self.words, Text(self.form(guest[self.key])), source, age


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ABSENT


def _rate(per_s: float) -> str:
    return f"{format_size(round(per_s))}/s"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


_READ, _SAID, _HELD = "read_age_s", "figures_age_s", "host_held_age_s"
_GUEST, _HYPERVISOR, _HOST = "the guest's kernel", "its hypervisor", "the host"
_LIMITS = "configuration, VM or order"


def _figure(
    key: str,
    words: str,
    form: Callable[[Any], str],
    source: str,
    age: str | None = None,
    *,
    rare: bool = False,
) -> _Figure:
    return _Figure(key=key, words=words, form=form, source=source, age_key=age, is_rare=rare)


_SECTIONS = (
    ("size", (
        _figure("max_bytes", "max", format_size, _HYPERVISOR, _READ),
        _figure("actual_bytes", "actual", format_size, _HYPERVISOR, _READ),
        _figure("target_bytes", "target", format_size, "asked by Aerostat", rare=True),
        _figure("advised_bytes", "target, not sent", format_size, "advised by Aerostat", rare=True),
        _figure("demand_bytes", "demand", format_size, "estimated: {confidence:.0%} sure", _SAID),
        _figure("headroom_bytes", "headroom in it", format_size, "estimated", rare=True),
    )),
    ("limits", (
        _figure("min_bytes", "min", format_size, _LIMITS),
        _figure("ceiling_bytes", "max allowed", format_size, _LIMITS),
        _figure("weight", "weight", str, _LIMITS),
        _figure("due_bytes", "due by weight", format_size, "computed", rare=True),
        _figure("number", "platform's id", str, "its platform", rare=True),
    )),
    ("in the guest", (
        _figure("guest_total_bytes", "guest total", format_size, _GUEST, _SAID),
        _figure("guest_available_bytes", "guest available", format_size, _GUEST, _SAID),
        _figure("guest_free_bytes", "guest free", format_size, _GUEST, _SAID),
        _figure("guest_cache_bytes", "guest cache", format_size, _GUEST, _SAID),
        _figure("used_bytes", "actual - available", format_size, "computed", _SAID),
        _figure("swap_in_bytes_per_s", "swapped in", _rate, _GUEST, _SAID),
        _figure("swap_out_bytes_per_s", "swapped out", _rate, _GUEST, _SAID),
        _figure("major_faults_per_s", "major faults a second", _number, _GUEST, _SAID),
        _figure("refaults_per_s", "refaults a second", _number, "its agent", "pressure_age_s",
                rare=True),
        _figure("pressure_some_ratio", "pressure, some", format_percent, "its agent",
                "pressure_age_s"),
        _figure("guest_oom_kills", "OOM kills", _number, _GUEST, _SAID, rare=True),
    )),
    ("on the host", (
        _figure("host_held_bytes", "host holds for it", format_size,
                "the host ({host_held_source})", _HELD),
        _figure("host_swap_bytes", "in the host's swap", format_size, _HOST, _READ),
        _figure("host_swapped_out_bytes", "swapped out lately", format_size, _HOST, _READ,
                rare=True),
        _figure("host_swap_in_bytes_per_s", "swapped in by the host", _rate, _HOST, _READ,
                rare=True),
        _figure("host_waiting_ratio", "waiting for memory", format_percent, _HOST, _READ,
                rare=True),
        _figure("host_limit_bytes", "limit of its cgroup", format_size, _HOST, _READ, rare=True),
        _figure("host_locked_bytes", "locked", format_size, _HOST, _READ, rare=True),
        _figure("host_touched_bytes", "touched lately", format_size, _HOST, _READ, rare=True),
    )),
)  # fmt: skip
