"""What takes a while to look at: looked at once for all who ask, with its age, and never often."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import httpx
import jsonschema

from aerostat.api.app import create_app
from aerostat.api.seat import Seat
from aerostat.api.stream import Stream
from aerostat.cli.daemons_doctor import examined_beside
from aerostat.config import default_config
from aerostat.control.board import Board
from aerostat.control.orders import Ask
from aerostat.host.techniques.savings import read_techniques

SCHEMA = json.loads(resources.files("aerostat.api").joinpath("doctor.schema.json").read_text())


@dataclass
class StoodStill:
    """A clock that a test moves."""

    time_s: float = 0.0

    def now_s(self) -> float:
        return self.time_s

    def wall_s(self) -> float:
        return self.time_s


async def nobody(ask: Ask) -> None:
    raise AssertionError(f"nothing is asked for here: {ask}")


def seat_with(clock: StoodStill | None = None, **faces: Any) -> Seat:
    config = default_config(["/nowhere/*.qmp"])
    return Seat(
        board=Board(), clock=clock or StoodStill(), config=lambda: config, ask=nobody, **faces
    )


@dataclass
class Doctor:
    """Counts how often it goes round, and may be made to wait, or to fail."""

    rounds: int = 0
    trouble: str | None = None
    threads: set[str] = field(default_factory=set)
    may_end: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> dict[str, Any]:
        self.rounds += 1
        self.threads.add(threading.current_thread().name)
        assert self.may_end.wait(60)
        if self.trouble is not None:
            raise OSError(self.trouble)
        return {"schema": "aerostat.doctor/1", "rounds": self.rounds}


def asked(seat: Seat, talk: Callable[[httpx.AsyncClient], Any]) -> Any:
    async def main() -> Any:
        transport = httpx.ASGITransport(app=create_app(seat, Stream()))
        async with httpx.AsyncClient(transport=transport, base_url="http://aerostat") as client:
            return await talk(client)

    return asyncio.run(main())


def test_many_who_ask_at_once_get_one_look_by_another_thread() -> None:
    doctor = Doctor()

    async def talk(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        asking = [asyncio.create_task(client.get("/v1/doctor")) for _ in range(20)]
        await asyncio.to_thread(doctor.may_end.set)
        return [(await one).raise_for_status().json() for one in asking]

    answers = asked(seat_with(doctor=doctor), talk)
    assert [answer["rounds"] for answer in answers] == [1] * 20
    assert threading.current_thread().name not in doctor.threads


def test_it_is_kept_told_with_its_age_and_looked_at_again_when_it_is_old() -> None:
    doctor, clock = Doctor(), StoodStill()
    doctor.may_end.set()

    async def talk(client: httpx.AsyncClient) -> list[tuple[int, float]]:
        told = []
        for at_s, path in (
            (0, "/v1/doctor"),
            (9, "/v1/doctor?fresh=true"),  # too soon after the last
            (11, "/v1/doctor"),
            (11, "/v1/doctor?fresh=true"),
            (70, "/v1/doctor"),
            (72, "/v1/doctor"),
        ):
            clock.time_s = at_s
            answer = (await client.get(path)).raise_for_status().json()
            told.append((answer["rounds"], answer["age_s"]))
        return told

    assert asked(seat_with(clock, doctor=doctor), talk) == [
        (1, 0), (1, 9), (1, 11), (2, 0), (2, 59), (3, 0)
    ]  # fmt: skip


def test_a_look_that_fails_says_why_and_is_tried_again() -> None:
    doctor = Doctor(trouble="no /proc here")
    doctor.may_end.set()

    async def talk(client: httpx.AsyncClient) -> None:
        failed = await client.get("/v1/doctor")
        assert failed.status_code == 503
        assert "no /proc here" in failed.json()["detail"]
        doctor.trouble = None
        assert (await client.get("/v1/doctor")).json()["rounds"] == 2

    asked(seat_with(doctor=doctor), talk)


def test_a_daemon_without_a_doctor_says_where_one_is() -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        doctor = await client.get("/v1/doctor")
        assert doctor.status_code == 404
        assert "aerostat doctor" in doctor.json()["detail"]
        techniques = await client.get("/v1/techniques")
        assert techniques.raise_for_status().json()["techniques"] == {}

    asked(seat_with(), talk)


def test_the_daemons_doctor_tells_what_the_schema_says() -> None:
    """On this machine, as it is."""
    config = default_config(["/nowhere/*.qmp"])
    seat = seat_with(doctor=lambda: examined_beside(config, None))

    async def talk(client: httpx.AsyncClient) -> Any:
        return (await client.get("/v1/doctor")).raise_for_status().json()

    document = asked(seat, talk)
    jsonschema.validate(document, SCHEMA)
    assert {finding["check"] for finding in document["host"]} >= {"memory", "swap", "ksm"}
    assert document["age_s"] >= 0


def test_techniques_tell_what_they_save_of_this_host() -> None:
    async def talk(client: httpx.AsyncClient) -> Any:
        return (await client.get("/v1/techniques")).raise_for_status().json()

    document = asked(seat_with(techniques=read_techniques), talk)
    assert set(document["techniques"]) == {"swap", "zswap", "zram", "ksm"}
    for one in document["techniques"].values():
        assert one["words"]
        assert one["is_usable"] in {True, False}
        if "taken_bytes" in one:
            assert one["saved_bytes"] == one["taken_bytes"] - one.get("held_bytes", 0)
    assert None not in document["techniques"]["swap"].values(), "absent is absent"
