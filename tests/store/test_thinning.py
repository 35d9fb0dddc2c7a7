"""What is kept of rounds: all that is new, and little of what is not."""

from dataclasses import replace
from pathlib import Path

from aerostat.model.events import LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.ports.journal import RoundRecord
from aerostat.store.reader import open_store
from aerostat.store.thinning import SAMPLE_S, Thinning
from builders import Guest, World, host_memory, params
from recorded_rounds import Recorder, remember


def kept_of(records: list[RoundRecord]) -> list[RoundRecord]:
    thinning = Thinning()
    kept = []
    for record in records:
        thinning.forget_the_gone(record)
        if (part := thinning.thinned(record)) is not None:
            thinning.accept(part)
            kept.append(part)
    return kept


def calm() -> Recorder:
    return Recorder(world=World(guests=[Guest(name=name, actual_mib=300) for name in "abc"]))


def test_calm_guests_are_kept_once_in_ten_seconds() -> None:
    recorder = calm()
    recorder.rounds(60)
    kept = kept_of(recorder.rounds(240, elapse_s=0.5))
    per_guest = sum(len(record.snapshot.guests) for record in kept) / 3
    assert per_guest == 240 * 0.5 / SAMPLE_S


def test_a_host_without_guests_still_says_that_somebody_watches() -> None:
    kept = kept_of(Recorder(world=World(guests=[])).rounds(120))
    assert len(kept) == 60 / SAMPLE_S


def test_every_target_that_is_sent_is_kept_with_its_guest() -> None:
    recorder = calm()
    recorder.rounds(40)
    recorder.world.guest("a").used_mib = 290
    records = recorder.rounds(60)
    sent = [change for record in records for change in record.plan.changes]
    kept = kept_of(records)
    assert len(sent) >= 3
    assert [change for record in kept for change in record.plan.changes] == sent
    for record in kept:
        changed = {change.guest for change in record.plan.changes}
        assert changed <= {trace.guest for trace in record.trace.guests}


def test_every_change_of_reason_is_kept() -> None:
    """But passing ones: has enough, dead band and cooldown are one and the same."""
    recorder = calm()
    records = recorder.rounds(40)
    recorder.world.guest("a").used_mib = 299
    for _ in range(40):
        recorder.world.guest("a").swap_out_mib += 20
        records += recorder.rounds(1)
    recorder.world.guest("b").has_balloon = False
    records += recorder.rounds(40)
    passing = {"hold_has_enough", "hold_within_dead_band", "hold_cooldown"}

    def reasons(rounds: list[RoundRecord], guest: str) -> list[str]:
        """What the guest went through, without repetitions."""
        found: list[str] = []
        for record in rounds:
            for trace in record.trace.guests:
                reason = "passing" if trace.reason.value in passing else trace.reason.value
                if trace.guest == guest and found[-1:] != [reason]:
                    found.append(reason)
        return found

    for guest in "abc":
        assert reasons(kept_of(records), guest) == reasons(records, guest)
    assert "hold_no_balloon" in reasons(records, "b")
    assert "released_for_distress" in reasons(records, "a")


def test_an_event_keeps_its_round_and_its_guest() -> None:
    recorder = calm()
    recorder.rounds(60)
    thinning_seen = recorder.rounds(1)
    paused = LifecycleChanged(guest=GuestId("b"), kind=LifecycleKind.PAUSED)
    gone = LifecycleChanged(guest=GuestId("z"), kind=LifecycleKind.DISAPPEARED)
    recorder.happened = [paused, gone]
    kept = kept_of(thinning_seen + recorder.rounds(1))
    assert kept[-1].events == (paused, gone)
    assert [guest.name for guest in kept[-1].snapshot.guests] == ["b"]


def test_a_change_of_the_hosts_state_keeps_the_round() -> None:
    recorder = calm()
    records = recorder.rounds(61)
    recorder.world.memory = host_memory(available_gib=2)
    late = recorder.round()
    assert late.trace.host.state is not records[-1].trace.host.state
    assert kept_of([*records, late])[-1].number == late.number


def test_advice_that_breathes_is_kept_like_a_calm_guest() -> None:
    """In observe every round advises anew; within 5 % it is the same advice."""
    world = World(
        guests=[Guest(name="a", actual_mib=512, used_mib=100)],
        params=params(budget_mib=300),
        obeys=False,
    )
    recorder = Recorder(world=world, was_enforced=False)
    recorder.rounds(40)
    records = recorder.rounds(40)
    advised = [
        replace(
            record,
            trace=replace(
                record.trace,
                guests=tuple(
                    replace(trace, target_bytes=(300 + number % 7) << 20)
                    for trace in record.trace.guests
                ),
            ),
        )
        for number, record in enumerate(records)
    ]
    assert len(kept_of(advised)) <= 40 * 0.5 / SAMPLE_S + 2


def test_a_guest_that_comes_again_is_new() -> None:
    recorder = calm()
    recorder.rounds(60)
    records = recorder.rounds(3)
    stayed = kept_of(records)
    assert [record.number for record in stayed] == [records[0].number]
    gone = recorder.world.guests.pop()
    records += recorder.rounds(1)
    recorder.world.guests.append(gone)
    records += recorder.rounds(1)
    last = kept_of(records)[-1]
    assert last.number == records[-1].number
    assert "c" in [guest.name for guest in last.snapshot.guests]


def test_ten_minutes_of_three_idle_guests_take_little(tmp_path: Path) -> None:
    recorder = calm()
    recorder.rounds(60)
    remember(tmp_path / "a.db", recorder.rounds(1200))
    with open_store(tmp_path / "a.db"):
        assert (tmp_path / "a.db").stat().st_size < 256 * 1024
