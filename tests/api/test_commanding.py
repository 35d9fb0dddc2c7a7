"""Commands reach the guests and are kept with who gave them; nothing passes the gate."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from aerostat.control.orders import Ask, Limits, OrderBook
from aerostat.model.events import Command
from aerostat.model.guest import GuestId
from aerostat.units import MIB
from api.live import CONTROL, READ, Live, live

pytestmark = pytest.mark.slow  # what is commanded arrives in its own time


def guest(host: Live, name: str) -> dict[str, Any]:
    with host.client() as client:
        told: dict[str, Any] = client.get(f"/v1/guests/{name}").raise_for_status().json()
        return told


def test_a_released_guest_grows_and_unhold_ends_it(host: Live) -> None:
    with host.client() as client:
        host.until(lambda: guest(host, "ada")["actual_bytes"] < 400 * MIB, "it was taken from")
        done = client.post("/v1/guests/ada/release", json={"for": "1h"}).raise_for_status()
        assert done.json()["outcome"] == "accepted"
        host.until(lambda: guest(host, "ada")["actual_bytes"] > 450 * MIB, "it has grown")
        order = guest(host, "ada")["order"]
        assert order["standing"] == "released"
        assert 3500 < order["left_s"] <= 3600
        assert order["who"] == f"uid {os.getuid()}, pid {os.getpid()}"
        client.post("/v1/guests/ada/unhold", json={}).raise_for_status()
        host.until(lambda: "order" not in guest(host, "ada"), "nothing is ordered any more")
        host.until(lambda: guest(host, "ada")["actual_bytes"] < 400 * MIB, "it gives again")


def test_limits_are_set_and_given_back(host: Live) -> None:
    with host.client() as client:
        path = "/v1/guests/bob/limits"
        client.post(path, json={"min": "60%", "weight": 300}).raise_for_status()
        host.until(lambda: guest(host, "bob")["min_bytes"] == int(0.6 * 512 * MIB), "min is set")
        assert guest(host, "bob")["order"]["weight"] == 300
        client.post(path, json={"min": None, "weight": None}).raise_for_status()
        host.until(lambda: guest(host, "bob")["min_bytes"] == 128 * MIB, "the rule holds again")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"min": "500MiB", "max": "130MiB"}, "min 500 MiB is above max 130 MiB"),
        ({"min": "80%", "max": "50%"}, "is above max 256 MiB"),
        ({"max": "1B"}, "max 1 B is less than a guest's system lives in"),
        ({"max": "20%"}, "set at least 128 MiB"),
        ({"weight": True}, "integer"),
    ],
)
def test_limits_that_no_file_could_hold_are_refused(
    host: Live, limits: dict[str, Any], words: str
) -> None:
    """What was set is a promise: one that contradicts another would be broken silently."""
    with host.client() as client:
        answer = client.post("/v1/guests/bob/limits", json=limits)
        assert answer.status_code == 422
        assert words in answer.text
        assert "order" not in guest(host, "bob")


def test_every_command_is_in_the_events_with_who_gave_it(host: Live) -> None:
    with host.client() as client:
        client.post("/v1/guests/cleo/hold", json={"for": "1s"}).raise_for_status()

        def told() -> list[dict[str, Any]]:
            events = client.get("/v1/events", params={"vm": "cleo"}).json()["events"]
            return [event for event in events if event["kind"] == "command"]

        host.until(lambda: bool(told()), "it is written")
        (event,) = told()
    assert event["command"] == "hold"
    assert event["who"] == f"uid {os.getuid()}, pid {os.getpid()}"
    assert event["words"].startswith("hold --for 1s")


def test_memory_is_reclaimed(host: Live) -> None:
    with host.client() as client:
        client.post("/v1/reclaim", json={"size": "50MiB", "for": "1s"}).raise_for_status()
        host.until(
            lambda: client.get("/v1/host").json()["reserved_bytes"] == 50 * MIB, "it is kept free"
        )
        host.until(lambda: client.get("/v1/host").json()["reserved_bytes"] == 0, "it is over")


def test_wrong_commands_change_nothing_and_are_told(host: Live) -> None:
    with host.client() as client:
        wrong: list[tuple[str, object, int]] = [
            ("/v1/guests/ada/limits", {"min": "-1"}, 422),
            ("/v1/guests/ada/limits", {"min": 17}, 422),
            ("/v1/guests/ada/limits", {"min": "0%"}, 400),
            ("/v1/guests/ada/limits", {"max": "101%"}, 400),
            ("/v1/guests/ada/limits", {"weight": 0}, 422),
            ("/v1/guests/ada/limits", {"wieght": 7}, 422),
            ("/v1/guests/ada/hold", {"for": "for ever"}, 422),
            ("/v1/guests/ada/hold", {"for": "999999999d"}, 400),
            ("/v1/guests/nobody/hold", {}, 404),
            ("/v1/reclaim", {"size": "0GiB"}, 400),
            ("/v1/reclaim", {}, 422),
        ]
        for path, body, status in wrong:
            answer = client.post(path, json=body)
            assert answer.status_code == status, (path, body, answer.text)
            assert answer.json()["detail"]
        assert "order" not in guest(host, "ada")


def test_on_tcp_a_token_decides(host: Live) -> None:
    with host.over_tcp(None) as nobody, host.over_tcp("wrong") as wrong:
        for client in (nobody, wrong):
            assert client.get("/v1/state").status_code == 401
            assert client.get("/metrics").status_code == 401
            assert client.post("/v1/guests/ada/hold", json={}).status_code == 401
        assert nobody.get("/").status_code == 200
    with host.over_tcp(READ) as reader:
        assert reader.get("/v1/state").status_code == 200
        assert reader.post("/v1/guests/ada/hold", json={}).status_code == 403
        assert reader.post("/v1/release", json={}).status_code == 403
    assert "order" not in guest(host, "ada")
    with host.over_tcp(CONTROL) as operator:
        assert operator.post("/v1/guests/ada/hold", json={"for": "1s"}).status_code == 200


def test_what_is_too_long_is_not_read(host: Live) -> None:
    with host.client() as client:
        assert client.post("/v1/guests/ada/hold", content=b"x" * 70_000).status_code == 413

        def endless() -> Any:
            for _ in range(100):
                yield b" " * 4096

        refused = client.post("/v1/guests/ada/hold", content=endless())
        assert refused.status_code == 413
        assert "65536 bytes" in refused.json()["detail"]


def test_a_flood_of_commands_is_told_to_wait(tmp_path: Path) -> None:
    with live(tmp_path, names=["a"], has_store=False) as one, one.client() as client:
        statuses = [client.post("/v1/guests/a/unhold", json={}).status_code for _ in range(120)]
        assert statuses[0] == 200
        assert 429 in statuses
        assert client.get("/v1/state").status_code == 200, "reading goes on"
        rounds = one.loop.board.status.rounds
        one.until(lambda: one.loop.board.status.rounds > rounds + 2, "the loop goes on")


def test_the_socket_is_for_its_owner_and_group_and_goes_with_the_daemon(tmp_path: Path) -> None:
    with live(tmp_path, names=["a"], has_store=False) as one:
        mode = stat.S_IMODE(one.socket.stat().st_mode)
        assert mode == 0o660
    assert not one.socket.exists()


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/reclaim", {"size": "0", "for": "1m"}, "'0': write a number and a unit"),
        ("/v1/guests/bob/limits", {"min": "much"}, "or a share such as 25%"),
        ("/v1/guests/bob/hold", {"for": "-1s"}, "such as 30s, 10m or 2h"),
    ],
)
def test_a_wrong_value_is_told_in_words_and_not_as_a_pattern(
    host: Live, path: str, body: dict[str, Any], words: str
) -> None:
    with host.client() as client:
        answer = client.post(path, json=body)
        assert answer.status_code == 422
        assert words in answer.text
        assert "pattern '" not in answer.text


def test_who_set_limits_and_who_holds_are_told_apart() -> None:
    def ask(command: Command, who: str, **more: Any) -> Ask:
        return Ask(command=command, who=who, guest=GuestId("bob"), **more)

    limits = Limits(weight=300)
    book = OrderBook().after(ask(Command.SET, "ada", limits=limits), now_s=0.0)
    book = book.after(ask(Command.HOLD, "eve", for_s=5.0), now_s=0.0)
    held = book.standing[GuestId("bob")]
    assert (held.who, held.limits_who) == ("eve", "ada")
    assert held.order.weight == 300
    over = book.at(6.0).standing[GuestId("bob")]
    assert over.limits_who == "ada"
    assert over.order.standing is None
