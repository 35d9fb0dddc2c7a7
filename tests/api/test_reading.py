"""What the API tells: the state, one VM and why, history, events, configuration, metrics."""

import json
from pathlib import Path

import pytest

from aerostat.model.modes import Mode
from aerostat.units import MIB
from api.live import Live, live


def test_the_state_has_host_daemon_and_every_guest(host: Live) -> None:
    with host.client() as client:
        state = client.get("/v1/state").raise_for_status().json()
    assert state["schema"] == "aerostat.state/1"
    assert state["mode"] == "enforce"
    assert [guest["name"] for guest in state["guests"]] == ["ada", "bob", "cleo"]
    guest = state["guests"][0]
    assert guest["max_bytes"] == 512 * MIB
    assert guest["words"]
    assert guest["figures_age_s"] < 10
    assert state["daemon"]["rounds"] > 2
    assert state["host"]["state"] in {"comfortable", "soft", "hard", "critical"}


def test_the_hosts_account_adds_up_to_its_ram(host: Live) -> None:
    with host.client() as client:
        document = client.get("/v1/host").raise_for_status().json()
    account = dict(document["account"])
    for beside in ("ballooned_bytes", "untouched_bytes", "swapped_bytes"):
        account.pop(beside)
    total = document["memory"]["total_bytes"]
    assert abs(sum(account.values()) - total) <= 8  # each kind is rounded down
    assert all(size >= 0 for size in account.values())


def test_a_guest_is_found_by_name_and_by_id_and_a_wrong_name_is_helped(host: Live) -> None:
    with host.client() as client:
        by_name = client.get("/v1/guests/bob").raise_for_status().json()
        by_id = client.get(f"/v1/guests/{by_name['id']}").raise_for_status().json()
        assert by_id["name"] == "bob"
        wrong = client.get("/v1/guests/bop")
    assert wrong.status_code == 404
    assert "did you mean 'bob'?" in wrong.json()["detail"]


def test_the_explanation_is_the_one_of_the_command_line_and_is_of_now(host: Live) -> None:
    with host.client() as client:
        told = client.get("/v1/guests/ada/explanation").raise_for_status().json()
    assert told["schema"] == "aerostat.explain/1"
    assert told["guest"]["name"] == "ada"
    assert told["why"]["words"] in told["text"]
    assert told["prospects"]["sentences"]
    assert told["is_old"] is False
    assert told["written_age_s"] < 5


def test_history_goes_on_without_a_store(tmp_path: Path) -> None:
    with live(tmp_path, names=["a"], has_store=False) as one, one.client() as client:
        history = client.get("/v1/guests/a/history").raise_for_status().json()
        events = client.get("/v1/events").raise_for_status().json()
        assert client.get("/v1/guests/a/explanation").status_code == 200
    assert history["source"] == "memory"
    assert len(history["at"]) == len(history["actual_bytes"]) > 0
    assert {event["name"] for event in events["events"]} <= {"a"}
    assert "switched off" in events["trouble"]
    assert "store" not in events


def test_history_comes_from_the_store_and_has_no_more_points_than_asked_for(host: Live) -> None:
    with host.client() as client:
        host.until(
            lambda: len(client.get("/v1/guests/ada/history").json()["at"]) >= 4, "it is written"
        )
        few = client.get("/v1/guests/ada/history", params={"points": 2}).json()
    assert few["source"] == "store"
    assert 2 <= len(few["at"]) <= 3
    assert few["at"] == sorted(few["at"])


def test_events_are_told_and_the_newest_stay_where_there_are_too_many(host: Live) -> None:
    with host.client() as client:
        host.until(lambda: len(client.get("/v1/events").json()["events"]) >= 2, "it is written")
        told = client.get("/v1/events").json()["events"]
        newest = client.get("/v1/events", params={"limit": 1, "vm": told[-1].get("name")}).json()
    assert {"at", "kind", "words"} <= set(told[0])
    assert len(newest["events"]) == 1


def test_the_stream_tells_of_rounds(host: Live) -> None:
    with host.client() as client, client.stream("GET", "/v1/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        rounds = []
        kind = ""
        for line in response.iter_lines():
            kind = line.removeprefix("event: ") if line.startswith("event: ") else kind
            if line.startswith("data: ") and kind == "round":
                rounds.append(json.loads(line.removeprefix("data: "))["number"])
            if len(rounds) == 3:
                break
    assert rounds == sorted(set(rounds))


def test_bad_questions_are_refused_with_what_would_be_right(host: Live) -> None:
    with host.client() as client:
        for path in (
            "/v1/events?since=yesterday",
            "/v1/events?since=0s",
            "/v1/events?limit=0",
            "/v1/guests/ada/history?points=1000000",
        ):
            assert client.get(path).status_code in {400, 422}, path


def test_the_configuration_in_force_is_shown(host: Live) -> None:
    with host.client() as client:
        settings = client.get("/v1/config").raise_for_status().json()["settings"]
    assert {"key": "mode", "value": '"enforce"', "origin": "default"} in settings


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.RECOMMEND])
def test_what_is_only_advised_is_no_target(tmp_path: Path, mode: Mode) -> None:
    with live(tmp_path, names=["a", "b"], mode=mode) as one, one.client() as client:
        one.until(
            lambda: any("advised_bytes" in g for g in client.get("/v1/state").json()["guests"]),
            "there is advice",
        )
        state = client.get("/v1/state").json()
        assert not any("target_bytes" in guest for guest in state["guests"])
        refused = client.post("/v1/guests/a/release", json={})
        assert refused.status_code == 409
        assert mode.value in refused.json()["detail"]
