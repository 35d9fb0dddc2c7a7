"""libvirt's own answers, descriptions and events: what each is read as."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.drivers.libvirt.agent import AgentCalls, parse_pressure, parse_refaults, read_pressure
from aerostat.drivers.libvirt.answers import Job, parse_balloon, parse_job, parse_state
from aerostat.drivers.libvirt.description import DescriptionError, parse_description
from aerostat.drivers.libvirt.errors import CallRefusedError
from aerostat.drivers.libvirt.happenings import parse_ending, parse_event
from aerostat.model.events import BalloonMoved, LifecycleChanged, LifecycleKind
from aerostat.model.figures import Absence
from aerostat.model.guest import GuestId, RunState
from aerostat.model.limits import Amount, DeclaredLimits
from aerostat.units import GIB, KIB, MIB

VM = GuestId("2aa47b0d-6f30-47bf-8ed0-08b28d3ade58")
# As libvirt 9.0 with QEMU 7.2 gives it for a guest with a 6.1 kernel.
FIELDS: dict[str, object] = {
    "state.state": 1,
    "state.reason": 1,
    "balloon.current": 204800,
    "balloon.maximum": 262144,
    "balloon.swap_in": 4,
    "balloon.swap_out": 8,
    "balloon.major_fault": 3,
    "balloon.minor_fault": 1080,
    "balloon.unused": 135888,
    "balloon.available": 223616,
    "balloon.usable": 139180,
    "balloon.last-update": 1795460439,
    "balloon.disk_caches": 3400,
    "balloon.hugetlb_pgalloc": 0,
    "balloon.hugetlb_pgfail": 0,
    "balloon.rss": 203712,
}
HELD = {key: FIELDS[key] for key in list(FIELDS)[:4]}  # some other call waits for its QEMU


def test_sizes_are_kib_and_available_is_the_guests_total() -> None:
    balloon = parse_balloon(FIELDS)
    assert (balloon.actual_bytes, balloon.max_bytes) == (200 * MIB, 256 * MIB)
    assert balloon.report is not None
    statistics = balloon.report.aged(1.0)
    assert statistics.sampled_wall_s == 1795460439
    assert statistics.total_bytes == 223616 * KIB
    assert statistics.available_bytes == 139180 * KIB
    assert statistics.free_bytes == 135888 * KIB
    assert statistics.cache_bytes == 3400 * KIB
    assert (statistics.swap_in_bytes, statistics.swap_out_bytes) == (4 * KIB, 8 * KIB)
    assert (statistics.major_faults, statistics.minor_faults) == (3, 1080)
    assert {a.name: a.why for a in statistics.absent} == {
        "oom_kills": Absence.NOT_REPORTED,
        "alloc_stalls": Absence.NOT_REPORTED,
    }


def test_a_domain_that_another_call_waits_for_has_sizes_and_no_report() -> None:
    balloon = parse_balloon(HELD)
    assert (balloon.actual_bytes, balloon.max_bytes) == (200 * MIB, 256 * MIB)
    assert balloon.report is None


def test_a_guest_without_a_driver_has_never_reported() -> None:
    balloon = parse_balloon({**HELD, "balloon.last-update": 0, "balloon.rss": 1000})
    assert balloon.report is not None
    assert balloon.report.updated_wall_s is None
    assert {a.why for a in balloon.report.absent} == {Absence.NEVER_SAMPLED}


@given(st.dictionaries(st.sampled_from(list(FIELDS)), st.integers() | st.text() | st.none()))
def test_whatever_comes_no_figure_is_negative_or_above_the_guests_total(
    fields: dict[str, object],
) -> None:
    balloon = parse_balloon(fields)
    for size in (balloon.actual_bytes, balloon.max_bytes):
        assert size is None or size >= 0
    if balloon.report is not None:
        total = balloon.report.values.get("total_bytes", balloon.max_bytes)
        assert all(value >= 0 for value in balloon.report.values.values())
        if total is not None:
            assert balloon.report.values.get("available_bytes", 0) <= total


@pytest.mark.parametrize(
    ("state", "reason", "job", "expected"),
    [
        (1, 1, Job.NONE, RunState.RUNNING),
        (1, 1, Job.TRANSIT, RunState.MIGRATING),
        (1, 1, Job.BACKUP, RunState.RUNNING),
        (3, 1, Job.NONE, RunState.PAUSED),
        (3, 2, Job.NONE, RunState.MIGRATING),  # paused for its migration, in or out
        (3, 3, Job.NONE, RunState.MIGRATING),  # paused to be saved
        (3, 10, Job.NONE, RunState.CRASHED),
        (4, 1, Job.TRANSIT, RunState.SHUTDOWN),
        (6, 1, Job.NONE, RunState.CRASHED),
        (7, 1, Job.NONE, RunState.PAUSED),
        (0, 0, Job.NONE, RunState.UNKNOWN),
        ("running", None, Job.NONE, RunState.UNKNOWN),
    ],
)
def test_run_states(state: object, reason: object, job: Job, expected: RunState) -> None:
    assert parse_state({"state.state": state, "state.reason": reason}, job) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"type": 0}, Job.NONE),
        ({}, Job.NONE),
        ({"type": 2, "operation": 2}, Job.TRANSIT),  # save
        ({"type": 2, "operation": 5}, Job.TRANSIT),  # migration out
        ({"type": 1, "operation": 9}, Job.BACKUP),
        ({"type": 1, "operation": 1}, Job.NONE),  # it is starting
    ],
)
def test_jobs(answer: dict[str, object], expected: Job) -> None:
    assert parse_job(answer) is expected


def domain_xml(devices: str = "", metadata: str = "") -> str:
    return f"<domain><metadata>{metadata}</metadata><devices>{devices}</devices></domain>"


def declared_as(attributes: str) -> str:
    return domain_xml(metadata=f'<a:vm xmlns:a="urn:aerostat:vm" {attributes}/>')


def test_a_description_tells_of_balloon_period_and_agent() -> None:
    xml = domain_xml(
        "<memballoon model='virtio' autodeflate='on'><stats period='5'/></memballoon>"
        "<channel><target type='virtio' name='org.qemu.guest_agent.0' state='connected'/></channel>"
    )
    found = parse_description(xml)
    assert (found.has_balloon, found.period_s, found.has_agent) == (True, 5, True)
    assert found.agent_socket is None
    assert found.deflates_on_oom
    assert not parse_description(domain_xml("<memballoon model='virtio'/>")).deflates_on_oom
    bare = parse_description(domain_xml("<memballoon model='none'/>"))
    assert (bare.has_balloon, bare.period_s, bare.has_agent) == (False, 0, False)
    assert bare.declared is None
    assert parse_description(declared_as("")).declared is None
    assert bare.tags == ()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<source mode='bind' path='/run/x/a.agent'/>", Path("/run/x/a.agent")),
        ("<source mode='connect' path='/run/x/a.agent'/>", None),
        ("<source mode='bind'/>", None),
        ("", None),
    ],
)
def test_a_description_tells_where_our_own_agent_is_heard(source: str, found: Path | None) -> None:
    target = "<target type='virtio' name='org.aerostat.agent.0'/>"
    xml = domain_xml(f"<channel type='unix'>{source}{target}</channel>")
    assert parse_description(xml).agent_socket == found


def test_tags_are_in_metadata_with_limits_or_without() -> None:
    alone = parse_description(declared_as('tags="prod  db,eu"'))
    assert (alone.tags, alone.declared, alone.trouble) == (("prod", "db", "eu"), None, None)
    both = parse_description(declared_as('tags="prod" weight="7"'))
    assert (both.tags, both.declared) == (("prod",), DeclaredLimits(weight=7))


def test_limits_are_declared_in_metadata() -> None:
    found = parse_description(declared_as('min="1GiB" max="50%" weight="200" managed="true"'))
    assert found.trouble is None
    assert found.declared == DeclaredLimits(
        minimum=Amount(size_bytes=GIB), maximum=Amount(max_ratio=0.5), weight=200, is_managed=True
    )


@pytest.mark.parametrize(
    ("attributes", "word"),
    [
        ('min="lots"', "lots"),
        ('min="0MiB"', "nothing"),
        ('min="120%"', "out of range"),
        ('min="1e400%"', "out of range"),
        ('weight="0"', "weight"),
        ('weight="-1"', "weight"),
        ('managed="yes"', "neither"),
        ('minimum="1GiB"', "minimum is unknown"),
    ],
)
def test_what_is_wrong_in_metadata_is_told_and_the_domain_left_alone(
    attributes: str, word: str
) -> None:
    found = parse_description(declared_as(attributes))
    assert found.declared == DeclaredLimits(is_managed=False)
    assert found.trouble is not None
    assert word in found.trouble


def test_what_is_no_xml_is_said() -> None:
    with pytest.raises(DescriptionError, match="not XML"):
        parse_description("<domain>")


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("BALLOON_CHANGE", (204800,), BalloonMoved(guest=VM, actual_bytes=200 * MIB)),
        ("REBOOT", (), LifecycleChanged(guest=VM, kind=LifecycleKind.RESET)),
        ("POWERDOWN", (), LifecycleChanged(guest=VM, kind=LifecycleKind.SHUTDOWN_ASKED)),
        ("LIFECYCLE", (3, 0), LifecycleChanged(guest=VM, kind=LifecycleKind.PAUSED)),
        ("LIFECYCLE", (4, 0), LifecycleChanged(guest=VM, kind=LifecycleKind.RESUMED)),
        ("LIFECYCLE", (6, 0), LifecycleChanged(guest=VM, kind=LifecycleKind.SHUTDOWN)),
        ("LIFECYCLE", (2, 0), None),  # who is there, the list tells
        ("METADATA_CHANGE", (2, "urn:aerostat:vm"), None),
    ],
)
def test_events(name: str, words: tuple[Any, ...], expected: object) -> None:
    assert parse_event(VM, name, words) == expected


def test_why_a_domain_stopped() -> None:
    assert parse_ending("LIFECYCLE", (5, 3)) == "migrated away"
    assert parse_ending("LIFECYCLE", (5, 4)) == "saved"
    assert parse_ending("LIFECYCLE", (5, 99)) is None
    assert parse_ending("LIFECYCLE", (2, 0)) is None


PRESSURE = (
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=250000\n"
)


class Agent:
    """Answers as qemu-ga does, with these files."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files
        self._open: dict[int, str] = {}
        self.closed = 0

    def __call__(self, command: str) -> str:
        asked = json.loads(command)
        arguments = asked["arguments"]
        match asked["execute"]:
            case "guest-file-open":
                self._open[1000] = self._files[arguments["path"]]
                return json.dumps({"return": 1000})
            case "guest-file-read":
                text = base64.b64encode(self._open[arguments["handle"]].encode()).decode()
                return json.dumps({"return": {"count": 9, "buf-b64": text, "eof": True}})
            case _:
                self.closed += 1
                return json.dumps({"return": {}})


def test_pressure_is_read_through_the_agent_and_every_file_closed() -> None:
    agent = Agent(
        {
            "/proc/pressure/memory": PRESSURE,
            "/proc/vmstat": "nr_free_pages 3\nworkingset_refault_file 42\n",
        }
    )
    pressure = read_pressure(agent, wall_s=lambda: 100.0)
    assert (pressure.some_total_s, pressure.full_total_s) == (1.5, 0.25)
    assert (pressure.refaults, pressure.sampled_wall_s) == (42, 100.0)
    assert agent.closed == 2


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"return": true}', "{" * 5000])
def test_an_agent_that_answers_nonsense_is_refused(answer: str) -> None:
    with pytest.raises(CallRefusedError):
        read_pressure(lambda _: answer, wall_s=lambda: 0.0)


@given(st.text())
def test_whatever_a_guest_says_of_its_pressure_it_is_a_count_or_nothing(text: str) -> None:
    assert all(value is None or value >= 0 for value in parse_pressure(text))
    refaults = parse_refaults(text)
    assert refaults is None or refaults >= 0


def test_an_agent_that_says_no_is_left_alone_for_a_while() -> None:
    calls = AgentCalls()
    assert calls.is_due(0.0, period_s=2.0)
    assert not calls.is_due(1.0, period_s=2.0)
    assert calls.is_due(2.0, period_s=2.0)
    calls.failed("blocked", 2.0)
    assert not calls.is_due(30.0, period_s=2.0)
    assert calls.is_due(62.0, period_s=2.0)
