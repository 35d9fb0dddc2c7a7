"""Where the figures come from: accelerator, machine, schedule, and how to get them again."""

from collections.abc import Mapping
from typing import Any

from aerostat.lab.result.summary import guest_names
from aerostat.present.markup import Markup, definition_list, escaped, join
from aerostat.present.wording import format_bytes, format_seconds

_ACCELERATORS = {
    "kvm": ("KVM", "real guests on hardware virtualisation", "plain"),
    "tcg": ("TCG", "emulated guests: compare the arms, not absolute speeds", "mild"),
    "simulated": ("SIMULATED", "no real guest ran: these figures come from a model", "loud"),
}


def badges(document: Mapping[str, Any]) -> Markup:
    """What ran, where and when, in short; a simulation says so loudly."""
    accelerator = str(document["accelerator"])
    name, meaning, volume = _ACCELERATORS.get(accelerator, (accelerator, "", "loud"))
    runs = len(document["arms"])
    guests = document.get("guest_max_bytes", {})
    facts = [f"{runs} arm{'s' if runs != 1 else ''}"]
    if guests:
        sizes = sorted({format_bytes(size) for size in guests.values()})
        facts.insert(0, f"{len(guests)} guests of {' or '.join(sizes)}")
    facts += [str(document["started"]), f"Aerostat {document['aerostat']}"]
    first = Markup(f'<li class="badge {volume}"><b>{escaped(name)}</b> {escaped(meaning)}</li>')
    return join([first, *(Markup(f'<li class="badge">{escaped(fact)}</li>') for fact in facts)])


def notes(document: Mapping[str, Any]) -> Markup:
    """The experiment's own remarks."""
    lines = join(Markup(f"<li>{escaped(note)}</li>") for note in document.get("notes", ()))
    return Markup(f'<ul class="notes">{lines}</ul>') if lines else lines


def schedule_table(document: Mapping[str, Any]) -> Markup:
    """The phases of the schedule and each guest's hot set in them; the same for every arm."""
    arm = next((arm for arm in document["arms"] if arm.get("phases")), None)
    if arm is None:
        return Markup("<p>No schedule was recorded.</p>")
    names = guest_names(document)
    heads = join(Markup(f'<th scope="col">{escaped(name)}</th>') for name in names)
    rows = []
    for number, phase in enumerate(arm["phases"], start=1):
        biggest = max(phase["hot_bytes"].values(), default=0)
        cells = join(_hot_cell(phase["hot_bytes"].get(name), biggest) for name in names)
        span = f"{format_seconds(phase['start_s'])} to {format_seconds(phase['end_s'])}"
        rows.append(f'<tr><th scope="row">{number}</th><td>{escaped(span)}</td>{cells}</tr>')
    return Markup(
        '<div class="scroll"><table class="schedule"><thead><tr><th scope="col">Phase</th>'
        f'<th scope="col">Time</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _hot_cell(hot_bytes: int | None, biggest: int) -> Markup:
    if hot_bytes is None:
        return Markup("<td></td>")
    told = escaped(format_bytes(hot_bytes))
    return Markup(f"<td><b>{told}</b></td>" if hot_bytes == biggest else f"<td>{told}</td>")


def machine_facts(document: Mapping[str, Any]) -> Markup:
    """The machine and the world's parameters."""
    machine = definition_list(
        (_worded(key), _value(key, value)) for key, value in document["machine"].items()
    )
    world = definition_list(
        (_worded(key), _value(key, value)) for key, value in document["world"].items()
    )
    return Markup(f"<h3>Machine</h3>{machine}<h3>World</h3>{world}")


def _worded(key: str) -> str:
    for unit in ("_bytes", "_s"):
        key = key.removesuffix(unit)
    return key.replace("_", " ")


def _value(key: str, value: object) -> Markup:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if key.endswith("_bytes"):
            return escaped(format_bytes(value))
        if key.endswith("_s"):
            return escaped(format_seconds(float(value)))
    if isinstance(value, Mapping):
        return Markup(
            ", ".join(f"{escaped(name)} {_value(key, inner)}" for name, inner in value.items())
        )
    if isinstance(value, list | tuple):
        return Markup(", ".join(_value(key, inner) for inner in value))
    return escaped(value)


def repeat_it(document: Mapping[str, Any]) -> Markup:
    """The command that runs the same experiment again."""
    name = str(document.get("name", "demo"))
    command = document["world"].get("command")
    if not isinstance(command, str):
        option = " --simulated" if document["accelerator"] == "simulated" else ""
        command = f"script/demo{option}" if name == "demo" else f"aerostat lab {name}{option}"
    return Markup(
        f"<p>In a checkout of Aerostat {escaped(document['aerostat'])}, on a quiet machine:</p>"
        f"<pre><code>{escaped(command)}</code></pre>"
        "<p>All arms follow the schedule below, second for second. The raw figures of every second"
        " are inside this file.</p>"
    )
