"""What others would have done: in the open loop beside it, in the closed loop instead."""

from dataclasses import replace
from pathlib import Path

import pytest

from aerostat.config import ConfigError, stored_config
from aerostat.engine.params import EngineParams
from aerostat.policy.params import PolicyName
from aerostat.replay.alternatives import Alternative, AlternativeError, alternatives_of
from aerostat.replay.demand import SeesDemand
from aerostat.replay.lived import world_of
from aerostat.replay.run import Replay, replay
from aerostat.store.recording import open_recording
from aerostat.units import MIB
from builders import Guest, World
from recorded_rounds import Recorder
from replay.recordings import RECORDED, parts_of, record

pytestmark = pytest.mark.slow  # recordings lived through again


def tried(path: Path, *, policies: tuple[PolicyName, ...] = (), **more: object) -> Replay:
    settings = more.pop("settings", ())
    alternatives = alternatives_of(policies, settings)  # type: ignore[arg-type] # text
    return replay(open_recording(path), alternatives, **more)  # type: ignore[arg-type]


def test_the_policy_recorded_would_have_done_the_same(recording: Path) -> None:
    (advice,) = tried(recording, policies=(PolicyName.ADAPTIVE,), is_closed=False).advice
    assert advice.differing_rounds == 0
    assert advice.rounds > 300
    assert all(g.advised_mean_bytes == g.recorded_mean_bytes for g in advice.guests.values())
    assert all(g.more_s == g.less_s == 0 for g in advice.guests.values())
    assert all(g.advised_commands == g.recorded_commands for g in advice.guests.values())


def test_another_policy_would_have_wished_otherwise(recording: Path) -> None:
    (advice,) = tried(recording, policies=(PolicyName.STATIC,), is_closed=False).advice
    assert advice.differing_rounds > 0
    assert advice.first_round is not None
    was = [one.recorded_mean_bytes or 0.0 for one in advice.guests.values()]
    would = [one.advised_mean_bytes or 0.0 for one in advice.guests.values()]
    assert max(would) - min(would) < max(was) - min(was), "it splits evenly"
    assert sum(one.more_s + one.less_s for one in advice.guests.values()) > 100


def test_a_setting_is_tried_as_if_it_had_stood_in_the_file(recording: Path) -> None:
    (advice,) = tried(recording, settings=("guests.min=40%",), is_closed=False).advice
    assert advice.alternative.name == "as recorded guests.min=40%"
    (late,) = [one for one in advice.guests.values() if one.name == "late"]
    assert (late.recorded_mean_bytes or 0) < 190 * MIB
    assert (late.advised_mean_bytes or 0) > 200 * MIB
    found = tried(recording, settings=("host.budget=4GiB",))
    assert found.lived[1].unmet_ratio <= found.lived[0].unmet_ratio


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("advanced.headrom=20%", 'did you mean "headroom"'),
        ("advanced.headroom=lots", "is not a share"),
        ("headroom", "write a key, =, and a value"),
        ("=5", "write a key, =, and a value"),
        ("guest[3].min=1GiB", "there is no guest"),
        ("policy=unheard", "is not one of"),
        ("mode.x=1", "has no such key|there is no mode"),
    ],
)
def test_a_setting_that_is_none_is_told(setting: str, words: str, recording: Path) -> None:
    with pytest.raises(ConfigError, match=words) as told:
        tried(recording, settings=(setting,))
    assert "--set" in str(told.value)


def test_settings_over_parameters_that_no_configuration_gives_are_refused() -> None:
    alternative = Alternative(policy=None, settings=("guests.min=90%",))
    odd = replace(EngineParams(), policy_period_s=3.0)
    with pytest.raises(AlternativeError, match="try --policy"):
        alternative.params(odd, RECORDED.stored_text())
    with pytest.raises(AlternativeError, match="try --policy"):
        alternative.params(EngineParams(), '{"from": "the future"}')
    assert alternative.params(EngineParams(), None).default_limits.minimum.max_ratio == 0.9


def test_rules_by_name_can_be_set() -> None:
    configuration = '{"guest": [{"name": "db-*", "min": "1GiB"}]}'

    config = stored_config(configuration)
    assert config is not None
    told = Alternative(policy=None, settings=("guest[0].min=2GiB", "guests.weight=200"))
    params = told.params(config.engine_params(), configuration)
    assert params.rules[0].limits.minimum.size_bytes == 2048 * MIB
    assert params.default_limits.weight == 200


def test_lived_through_an_even_split_leaves_more_unmet(recording: Path) -> None:
    """And twice the same is the same."""
    policies = (PolicyName.STATIC, PolicyName.ADAPTIVE, PolicyName.CLAIRVOYANT)
    found = tried(recording, policies=policies, is_open=False)
    assert found.advice == ()
    recorded, static, adaptive, clairvoyant = found.lived
    assert recorded.digest == adaptive.digest
    assert recorded.unmet_ratio < static.unmet_ratio
    assert clairvoyant.unmet_ratio <= recorded.unmet_ratio
    assert [one.digest for one in tried(recording, policies=policies).lived] == [
        one.digest for one in found.lived
    ]


def test_the_world_has_the_demand_that_was_seen(recording: Path) -> None:
    seen = SeesDemand()
    parts = parts_of(recording)
    for part in parts:
        seen.add(part)
    world = world_of(seen.found)
    assert len(world.guests) == 5
    assert world.supply_bytes == 1200 * MIB
    record_ = parts[1].rounds[10]
    for guest, trace in zip(record_.snapshot.guests, record_.trace.guests, strict=True):
        known = seen.found.guests[guest.guest]
        assert known.at(record_.snapshot.wall_s) == trace.used_bytes
    late = next(known for known in seen.found.guests.values() if known.name == "late")
    assert late.at(parts[0].rounds[0].snapshot.wall_s) == 0, "it was not there yet"
    assert 0 < seen.found.hidden_ratio < 0.5
    first_s, seconds = seen.found.first_wall_s - 5, world.samples + 60
    for known in seen.found.guests.values():
        one_by_one = [known.at(first_s + second) for second in range(seconds)]
        assert known.each_second(first_s, seconds).tolist() == one_by_one


def test_a_clairvoyant_gives_no_advice(recording: Path) -> None:
    """It knows what is to come, and only a simulated world tells it."""
    found = tried(recording, policies=(PolicyName.CLAIRVOYANT,))
    assert found.advice == ()
    assert len(found.lived) == 2


def test_too_little_makes_no_world(tmp_path: Path) -> None:
    recorder = Recorder(world=World(guests=[Guest(name="a")]))
    path = record(tmp_path, recorder.rounds(10))
    with pytest.raises(AlternativeError, match="make no world"):
        tried(path, policies=(PolicyName.STATIC,))
    (advice,) = tried(path, policies=(PolicyName.STATIC,), is_closed=False).advice
    assert advice.rounds == 10


def test_thinned_rounds_are_refused(tmp_path: Path) -> None:
    recorder = Recorder(world=World(guests=[Guest(name="a")]))
    path = record(tmp_path, recorder.rounds(10), is_full=False)
    with pytest.raises(AlternativeError, match=r"thinned.*aerostat plan"):
        tried(path)
