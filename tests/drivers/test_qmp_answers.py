"""QEMU's own answers, events, bounds and ids: what each is read as."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.drivers.bounds import objection_to_target, target_floor_bytes
from aerostat.drivers.qmp.answers import (
    Jobs,
    parse_disk_read_bytes,
    parse_jobs,
    parse_properties,
    parse_run_state,
    parse_size,
    parse_uuid,
)
from aerostat.drivers.qmp.happenings import parse_event
from aerostat.drivers.qmp.session import Command
from aerostat.drivers.sockets.errors import AnswerViolationError
from aerostat.drivers.sockets.registry import Registry
from aerostat.model.events import BalloonMoved, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId, RunState
from aerostat.units import GIB, MIB

ALPHA = GuestId("alpha")
FIRST, SECOND, THIRD = Path("/run/1"), Path("/run/2"), Path("/run/3")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["status", "x"]), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("status", "migration", "state"),
    [
        ("running", None, RunState.RUNNING),
        ("paused", None, RunState.PAUSED),
        ("prelaunch", None, RunState.PAUSED),
        ("running", "setup", RunState.MIGRATING),
        ("running", "active", RunState.MIGRATING),
        ("running", "postcopy-active", RunState.MIGRATING),
        ("running", "some-state-of-a-later-qemu", RunState.MIGRATING),
        ("running", "failed", RunState.RUNNING),
        ("running", "cancelled", RunState.RUNNING),
        ("running", "completed", RunState.RUNNING),  # at its destination
        ("postmigrate", "completed", RunState.MIGRATING),  # at its source
        ("inmigrate", None, RunState.MIGRATING),
        ("shutdown", "active", RunState.SHUTDOWN),
        ("guest-panicked", None, RunState.CRASHED),
        ("some-state-of-a-later-qemu", None, RunState.UNKNOWN),
    ],
)
def test_run_states_are_read_with_migration_in_mind(
    status: str, migration: str | None, state: RunState
) -> None:
    answer = {} if migration is None else {"status": migration}
    assert parse_run_state({"status": status}, answer) is state


@given(status=json_values, migration=json_values)
def test_any_status_is_some_run_state(status: object, migration: object) -> None:
    assert parse_run_state(status, migration) in RunState


def test_a_vm_that_was_given_no_uuid_has_none() -> None:
    assert parse_uuid({"UUID": "00000000-0000-0000-0000-000000000000"}) is None
    assert parse_uuid({"UUID": "1"}) == "1"
    assert parse_uuid(None) is None


@pytest.mark.parametrize("untrusted", [None, [], {}, {"actual": "1"}, {"actual": -1}])
def test_a_size_that_is_none_is_a_violation(untrusted: object) -> None:
    with pytest.raises(AnswerViolationError):
        parse_size(untrusted, "actual")


entries = st.fixed_dictionaries({}, optional={"name": json_values, "type": json_values})


@given(untrusted=json_values | st.lists(entries | st.text()))
def test_any_object_list_is_read_or_a_violation(untrusted: object) -> None:
    try:
        properties = parse_properties(untrusted)
    except AnswerViolationError:
        assert not isinstance(untrusted, list)
    else:
        assert {type(text) for pair in properties for text in pair} <= {str}


def test_balloon_and_lifecycle_events_are_followed_and_others_are_not() -> None:
    moved = parse_event(ALPHA, "BALLOON_CHANGE", {"actual": 5})
    assert moved == BalloonMoved(guest=ALPHA, actual_bytes=5)
    reset = parse_event(ALPHA, "RESET", {"guest": True})
    assert reset == LifecycleChanged(guest=ALPHA, kind=LifecycleKind.RESET)
    assert parse_event(ALPHA, "BALLOON_CHANGE", {"actual": "all"}) is None
    assert parse_event(ALPHA, "VNC_CONNECTED", {}) is None


@given(actual=json_values, name=st.sampled_from(["BALLOON_CHANGE", "STOP", "OTHER"]))
def test_no_event_can_break_the_reader(actual: object, name: str) -> None:
    """It runs inside the library's reader: an error there would end the connection."""
    event = parse_event(ALPHA, name, {"actual": actual})
    assert event is None or event.guest == ALPHA


@given(max_bytes=st.integers(1, 2**44), target_bytes=st.integers(-(2**44), 2**45))
def test_a_target_is_sent_only_from_the_floor_to_the_max(max_bytes: int, target_bytes: int) -> None:
    floor_bytes = target_floor_bytes(max_bytes)
    assert 0 < floor_bytes <= max_bytes
    is_sent = objection_to_target(target_bytes, max_bytes=max_bytes) is None
    assert is_sent == (floor_bytes <= target_bytes <= max_bytes)


def test_the_floor_grows_with_what_a_guest_keeps_for_its_pages() -> None:
    assert target_floor_bytes(512 * MIB) == 72 * MIB
    assert target_floor_bytes(64 * GIB) == 64 * MIB + 1 * GIB


def test_unstable_commands_cannot_even_be_written_down() -> None:
    """x-query-virtio-status on a balloon aborted QEMU 11.1, and the VM with it."""
    with pytest.raises(AssertionError, match="unstable"):
        Command(name="x-query-virtio-status")


def test_the_first_to_claim_an_id_keeps_it_and_the_next_inherits() -> None:
    registry = Registry()
    assert registry.claim(ALPHA, FIRST)
    assert not registry.claim(ALPHA, SECOND)
    assert not registry.claim(ALPHA, THIRD)
    assert registry.rivals(ALPHA, FIRST) == (SECOND, THIRD)
    assert registry.release(ALPHA, SECOND) is None
    assert registry.release(ALPHA, FIRST) == THIRD
    assert registry.holds(ALPHA, THIRD)
    assert registry.release(ALPHA, THIRD) is None
    assert not registry.holds(ALPHA, THIRD)
    assert registry.claim(ALPHA, SECOND)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([], Jobs()),
        ([{"type": "backup", "status": "running"}], Jobs(is_backing_up=True)),
        ([{"type": "backup", "status": "paused"}], Jobs(is_backing_up=True)),
        ([{"type": "backup", "status": "concluded"}], Jobs()),
        ([{"type": "mirror", "status": "ready"}], Jobs()),
        ([{"type": "snapshot-save", "status": "running"}], Jobs(is_saving=True)),
        ([{"type": "backup"}, 7, None, {"type": 1, "status": "running"}], Jobs()),
    ],
)
def test_of_jobs_those_count_that_a_take_would_disturb(listed: object, expected: Jobs) -> None:
    assert parse_jobs(listed) == expected


def test_what_was_read_is_summed_over_devices_and_absent_without_any() -> None:
    disk = {"device": "drive0", "stats": {"rd_bytes": 4096, "wr_bytes": 7}}
    below = {"node-name": "file0", "stats": {"rd_bytes": 9999}}
    assert parse_disk_read_bytes([{**disk, "parent": below}, disk]) == 8192
    assert parse_disk_read_bytes([]) is None


@pytest.mark.parametrize("untrusted", [{}, None, [1], [{}], [{"stats": {"rd_bytes": -1}}]])
def test_disk_figures_of_another_form_are_a_violation(untrusted: object) -> None:
    with pytest.raises(AnswerViolationError):
        parse_disk_read_bytes(untrusted)


@pytest.mark.parametrize("untrusted", [None, {}, "jobs"])
def test_jobs_that_are_no_list_are_a_violation(untrusted: object) -> None:
    with pytest.raises(AnswerViolationError):
        parse_jobs(untrusted)


@pytest.mark.parametrize(
    ("name", "data", "kind", "detail"),
    [
        ("POWERDOWN", {}, LifecycleKind.SHUTDOWN_ASKED, None),
        ("SUSPEND", {}, LifecycleKind.PAUSED, None),
        ("WAKEUP", {}, LifecycleKind.RESUMED, None),
        ("RESET", {"guest": True, "reason": "guest-reset"}, LifecycleKind.RESET, "guest-reset"),
        ("SHUTDOWN", {"reason": 7}, LifecycleKind.SHUTDOWN, None),
    ],
)
def test_lives_are_told_with_qemus_own_reason(
    name: str, data: dict[str, object], kind: LifecycleKind, detail: str | None
) -> None:
    told = LifecycleChanged(guest=ALPHA, kind=kind, detail=detail)
    assert parse_event(ALPHA, name, data) == told
