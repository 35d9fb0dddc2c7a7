"""The same engine decides the same; where it does not, the first difference has a place."""

from dataclasses import replace
from pathlib import Path

import pytest

from aerostat.engine.params import EngineParams
from aerostat.model.modes import Mode
from aerostat.policy.params import PolicyName
from aerostat.replay.again import DecidesAgain, Reproduction
from aerostat.store.recording import Part
from replay.recordings import parts_of, record
from simulated_daemon import TIGHT, simulated_rounds

pytestmark = pytest.mark.slow  # recordings decided again


def again(parts: list[Part]) -> Reproduction:
    decides = DecidesAgain()
    for part in parts:
        decides.add(part)
    return decides.found


def with_round(part: Part, number: int, **changed: object) -> Part:
    rounds = list(part.rounds)
    rounds[number] = replace(rounds[number], **changed)  # type: ignore[arg-type] # real fields
    return replace(part, rounds=tuple(rounds))


def test_what_was_recorded_is_decided_again_to_the_last_bit(recording: Path) -> None:
    found = again(parts_of(recording))
    assert found.is_exact
    assert found.is_same_engine
    assert found.parts == 3
    assert found.decisions > 3 * found.rounds


def test_a_quarter_of_an_hour_is_decided_again_exactly(tmp_path: Path) -> None:
    """Many times what the other tests decide again."""
    found = again(parts_of(record(tmp_path, simulated_rounds(900.0, seed=3))))
    assert found.is_exact
    assert found.rounds > 1700


@pytest.mark.parametrize(
    ("mode", "policy"),
    [(Mode.RECOMMEND, PolicyName.ADAPTIVE), *((Mode.ENFORCE, policy) for policy in PolicyName)],
)
def test_every_mode_and_policy_is_decided_again_exactly(
    mode: Mode, policy: PolicyName, tmp_path: Path
) -> None:
    """Baselines remember things of their own, which the recording has to hold."""
    params = replace(TIGHT, policy=policy)
    rounds = simulated_rounds(60.0, params=params, mode=mode, guests=2)
    assert again(parts_of(record(tmp_path, rounds))).is_exact


def test_the_first_difference_is_told_with_round_and_guest(recording: Path) -> None:
    parts = parts_of(recording)
    traces = list(parts[1].rounds[40].trace.guests)
    assert traces[2].target_bytes is not None
    traces[2] = replace(traces[2], target_bytes=traces[2].target_bytes + 1)
    tampered = replace(parts[1].rounds[40].trace, guests=tuple(traces))
    parts[1] = with_round(parts[1], 40, trace=tampered)
    found = again(parts)
    assert found.differing_rounds == 1
    first = found.first
    assert first is not None
    assert first.round_number == parts[1].rounds[40].number
    assert (first.guest, first.what) == (traces[2].guest, "target_bytes")
    assert int(first.recorded) == int(first.decided) + 1


def test_a_plan_or_a_host_that_differs_is_told(recording: Path) -> None:
    parts = parts_of(recording)
    plan = replace(parts[0].rounds[7].plan, next_round_s=9.0)
    found = again([with_round(parts[0], 7, plan=plan)])
    assert found.first is not None
    assert (found.first.guest, found.first.what, found.first.recorded) == (
        None,
        "next_round_s",
        "9.0",
    )
    trace = parts[0].rounds[7].trace
    host = replace(trace, host=replace(trace.host, demand_bytes=1))
    found = again([with_round(parts[0], 7, trace=host)])
    assert found.first is not None
    assert found.first.what == "host: demand_bytes"


def test_a_figure_that_was_lost_changes_decisions(recording: Path) -> None:
    """The check has teeth: had the recording left out a counter, this would tell."""
    parts = parts_of(recording)
    rounds = []
    for one in parts[0].rounds:
        guests = tuple(
            replace(g, statistics=g.statistics and replace(g.statistics, swap_out_bytes=None))
            for g in one.snapshot.guests
        )
        rounds.append(replace(one, snapshot=replace(one.snapshot, guests=guests)))
    assert not again([replace(parts[0], rounds=tuple(rounds))]).is_exact


def test_events_that_were_lost_change_decisions(recording: Path) -> None:
    parts = parts_of(recording)
    silent = tuple(replace(one, events=()) for one in parts[0].rounds)
    assert not again([replace(parts[0], rounds=silent)]).is_exact


def test_what_the_engine_remembered_is_compared_from_part_to_part(recording: Path) -> None:
    parts = parts_of(recording)
    state = parts[1].state
    assert state is not None
    parts[1] = replace(parts[1], state=replace(state, reservations=(), peer=None, guests=()))
    found = again(parts)
    assert found.first is not None
    assert found.first.round_number == parts[1].rounds[0].number
    assert "remembered" in found.first.what


def test_parts_with_rounds_missing_between_them_stand_alone(recording: Path) -> None:
    parts = parts_of(recording)
    assert again([parts[0], parts[2]]).is_exact


def test_other_parameters_decide_otherwise(recording: Path) -> None:
    """Else the test above would prove nothing."""
    (part, *_) = parts_of(recording)
    assert part.params is not None
    assert not again(
        [replace(part, params=replace(part.params, policy=PolicyName.STATIC))]
    ).is_exact
    assert not again([replace(part, params=EngineParams())]).is_exact


def test_an_engine_that_fails_is_a_difference(recording: Path) -> None:
    (part, *_) = parts_of(recording)
    assert part.params is not None
    broken = replace(part.params, policy="unheard of")  # type: ignore[arg-type] # on purpose
    found = again([replace(part, params=broken)])
    assert found.differing_rounds == found.rounds
    assert found.first is not None
    assert "no policy is called" in found.first.decided


def test_another_engine_is_told_from_this_one(recording: Path) -> None:
    parts = parts_of(recording)
    assert not again([replace(parts[0], engine="0123456789abcdef")]).is_same_engine
    assert not again([replace(parts[0], engine=None)]).is_same_engine
