"""VMs to come ask at the door: what they are told, and what is kept for them."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator

from aerostat.units import MIB
from api.live import READ, Live, live
from daemon_process import aerostat
from docs.generated import writer

pytestmark = pytest.mark.slow  # promises run out in their own time

SCHEMAS = {path.name: schema for path, schema in writer("schemas").schemas()}
TOO_MANY = 429


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Two guests of 512 MiB that may hold 600 MiB together, as they soon do."""
    with live(tmp_path_factory.mktemp("h"), names=["ada", "bob"]) as one:
        yield one


def reserved(host: Live) -> int:
    with host.client() as client:
        return int(client.get("/v1/host").json()["reserved_bytes"])


def admit(host: Live, name: str, size: str, for_: str = "1s") -> httpx.Response:
    """Ask, and wait as told where too much was asked in this second."""
    with host.client() as client:
        while True:
            answer = client.post("/v1/admit", json={"name": name, "size": size, "for": for_})
            if answer.status_code != TOO_MANY:
                return answer
            time.sleep(float(answer.headers["retry-after"]))


def room_for(host: Live, mib: int) -> None:
    """Have so much made free for a VM called new."""
    with host.client() as client:
        body = {"size": f"{mib}MiB", "for": "5s", "owner": "new"}
        client.post("/v1/reclaim", json=body).raise_for_status()
    host.until(lambda: reserved(host) == mib * MIB, "it is reserved")
    host.until(lambda: admit(host, "new", f"{mib}MiB", "5s").status_code == 200, "it is free")


def test_no_room_is_told_with_what_there_is_and_reclaiming_makes_some(host: Live) -> None:
    answer = admit(host, "new", "64GiB")
    assert answer.status_code == 409
    told = answer.json()
    Draft202012Validator(SCHEMAS["admission.schema.json"]).validate(told)
    assert told["verdict"] == "no_room"
    assert "aerostat reclaim 64GiB --owner new" in told["detail"]
    room_for(host, 50)
    assert reserved(host) == 50 * MIB
    assert admit(host, "other", "50MiB").status_code == 409, "it is kept for new"
    assert admit(host, "new", "50MiB", "1s").status_code == 200
    host.until(lambda: reserved(host) == 0, "nobody came for it")


def test_of_many_that_ask_at_once_only_one_is_promised_the_same_memory(host: Live) -> None:
    room_for(host, 60)
    with host.client() as client:
        client.post("/v1/reclaim", json={"size": "60MiB", "for": "1ms", "owner": "new"})
    host.until(lambda: reserved(host) == 0, "it is over")
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda n: admit(host, f"vm-{n}", "40MiB", "5s"), range(8)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) <= 1, statuses
    host.until(lambda: reserved(host) == 0, "nobody came for it")


def test_one_that_is_here_is_no_vm_to_come(host: Live) -> None:
    assert admit(host, "ada", "1MiB").json()["verdict"] == "already_here"
    with host.client() as client:
        answer = client.post("/v1/reclaim", json={"size": "1MiB", "for": "1s", "owner": "ada"})
    assert answer.status_code == 400
    assert "ada is here already" in answer.json()["detail"]


def test_it_is_in_the_events_with_its_answer(host: Live) -> None:
    admit(host, "gone", "64GiB")

    def told() -> list[str]:
        with host.client() as client:
            events = client.get("/v1/events").json()["events"]
        return [event["words"] for event in events if event.get("command") == "admit"]

    host.until(lambda: any("admit gone 64GiB --for 1s: no_room" in t for t in told()), "it is kept")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "size": "1GiB"},
        {"name": "a\nb", "size": "1GiB"},
        {"name": "x" * 300, "size": "1GiB"},
        {"name": "x", "size": "much"},
        {"name": "x", "size": "1GiB", "for": "long"},
        {"name": "x"},
        {"name": "x", "size": "1GiB", "more": 1},
    ],
)
def test_what_makes_no_sense_is_refused(host: Live, body: dict[str, object]) -> None:
    with host.client() as client:
        assert client.post("/v1/admit", json=body).status_code == 422


def test_who_may_only_read_lets_nobody_in(host: Live) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{host.port}/v1/admit",
        json={"name": "x", "size": "1MiB"},
        headers={"Authorization": f"Bearer {READ}"},
        trust_env=False,
    )
    assert answer.status_code == 403


def test_the_verb_says_it_and_ends_accordingly(host: Live, tmp_path: Path) -> None:
    socket = ("--socket", str(host.socket))
    refused = aerostat("admit", "new", "64GiB", *socket)
    assert refused.returncode == 4
    assert "do not fit" in refused.stderr
    room_for(host, 40)
    done = aerostat("admit", "new", "40MiB", "--for", "1s", *socket, "-o", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    Draft202012Validator(SCHEMAS["admission.schema.json"]).validate(told)
    assert told["verdict"] == "admitted"
    nobody = aerostat("admit", "new", "1MiB", "--socket", str(tmp_path / "none.sock"))
    assert nobody.returncode == 3
