"""``aerostat top`` as it looks and is used, on a state that stands still and on a real API."""

import asyncio
import contextlib
import html
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import DataTable

from aerostat.cli.asked import Daemon
from aerostat.cli.simulated_host import simulated_host
from aerostat.tui.app import Question, Top
from api.live import live
from deadlines import PATIENCE_S

GOLDEN = Path(__file__).parent / "golden"
GIB, MIB = 2**30, 2**20
CELL_WIDTH = 12.2  # of a character in the pictures that Textual makes


def guest(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"id-{name}", "name": name, "run_state": "running", "reason": "hold_has_enough",
        "words": "has what it needs (300 MiB)", "was_enforced": True, "is_distressed": False,
        "max_bytes": GIB, "actual_bytes": 600 * MIB, "target_bytes": 600 * MIB,
        "used_bytes": 300 * MIB, "guest_cache_bytes": 100 * MIB, "guest_free_bytes": 150 * MIB,
        "guest_available_bytes": 250 * MIB, "demand_bytes": 300 * MIB, **more,
    }  # fmt: skip


GUESTS = [
    guest("web"),
    guest("db\x1b[31m", is_distressed=True, words="released: it is short of memory",
          reason="released_for_distress", target_bytes=GIB, guest_available_bytes=5 * MIB),
    guest("idle", order={"standing": "held"}, actual_bytes=2 * GIB, max_bytes=2 * GIB,
          target_bytes=2 * GIB),
]  # fmt: skip

STATE = {
    "aerostat": "1", "mode": "enforce",
    "host": {
        "state": "soft", "supply_bytes": 3 * GIB, "committed_bytes": 2 * GIB,
        "demand_bytes": GIB, "memory": {"available_bytes": 2 * GIB, "total_bytes": 8 * GIB},
    },
    "guests": GUESTS,
}  # fmt: skip


class Still:
    """A daemon in which nothing changes."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []

    def get(self, path: str, **query: str) -> Any:
        del query
        return STATE if path == "/v1/state" else {"text": f"why of {path}"}

    def post(self, path: str, body: Any) -> Any:
        self.posted.append((path, body))
        return {"outcome": "accepted", "mode": "enforce"}


def text_of(app: Top) -> str:
    """What is on the screen, line by line, without colours."""
    pieces = re.findall(
        r"<text[^>]* x=\"([\d.]+)\" y=\"([\d.]+)\"[^>]*>(.*?)</text>", app.export_screenshot()
    )
    rows: dict[float, str] = {}
    for across, down, words in pieces:
        column = round(float(across) / CELL_WIDTH)
        row = rows.get(float(down), "").ljust(column)
        rows[float(down)] = row + html.unescape(words).replace("\xa0", " ")
    return "\n".join(rows[at].rstrip() for at in sorted(rows)) + "\n"


async def settled(pilot: Any) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def look(width: int) -> str:
    app = Top(Still(), refresh_s=None)
    async with app.run_test(size=(width, 16)) as pilot:
        await settled(pilot)
        return text_of(app)


async def until(pilot: Any, condition: Callable[[], bool], what: str) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_s, f"{what}: not within {PATIENCE_S} s"
        await pilot.pause(0.05)


@pytest.mark.parametrize("width", [80, 140])
def test_it_looks_as_it_did(width: int) -> None:
    golden = GOLDEN / f"top-{width}.txt"
    text = asyncio.run(look(width))
    if os.environ.get("AEROSTAT_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_sorted_filtered_and_asked_why() -> None:
    async def main() -> None:
        app = Top(Still(), refresh_s=None)
        async with app.run_test(size=(140, 20)) as pilot:
            await settled(pilot)
            table = app.query_one(DataTable)

            def ids() -> list[str | None]:
                return [key.value for key in table.rows]

            assert ids() == ["id-db\x1b[31m", "id-idle", "id-web"]
            await pilot.press("s")
            assert ids()[0] == "id-idle", "the largest comes first"
            await pilot.press("slash", "w", "e", "b", "enter")
            assert ids() == ["id-web"]
            await pilot.press("enter")
            await settled(pilot)
            assert "why of /v1/guests/id-web/explanation" in text_of(app)
            await pilot.press("escape")

    asyncio.run(main())


class Moving(Still):
    """One VM changes from one look to the next; all others stay."""

    def __init__(self) -> None:
        super().__init__()
        self.held_bytes = 600 * MIB

    def get(self, path: str, **query: str) -> Any:
        if path != "/v1/state":
            return super().get(path, **query)
        web = guest("web", actual_bytes=self.held_bytes, words=f"holds {self.held_bytes}")
        return {**STATE, "guests": [web, *GUESTS[1:]]}


def test_only_what_has_changed_is_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 VMs have 1400 cells: writing each of them every second would keep a terminal busy."""
    written: list[tuple[Any, Any]] = []
    update_cell = DataTable.update_cell

    def noted(self: DataTable[Any], row: Any, column: Any, *more: Any, **options: Any) -> None:
        written.append((row, column))
        update_cell(self, row, column, *more, **options)

    monkeypatch.setattr(DataTable, "update_cell", noted)

    async def main() -> None:
        source = Moving()
        app = Top(source, refresh_s=None)
        async with app.run_test(size=(140, 20)) as pilot:
            await settled(pilot)
            app.look()
            await settled(pilot)
            assert written == []
            source.held_bytes = 700 * MIB
            app.look()
            await settled(pilot)
            assert "700 MiB" in text_of(app)
            assert set(written) == {
                ("id-web", "memory, up to max"), ("id-web", "holds"), ("id-web", "why")
            }  # fmt: skip

    asyncio.run(main())


def test_a_demo_has_a_daemon_of_its_own() -> None:
    with simulated_host(12) as socket, contextlib.closing(Daemon(socket, None)) as daemon:
        state = daemon.get("/v1/state")
        names = [one["name"] for one in state["guests"]]
        assert len(names) == 12
        assert state["mode"] == "enforce"
        assert daemon.post(f"/v1/guests/{names[0]}/hold", {})["outcome"] == "accepted"
        assert "text" in daemon.get(f"/v1/guests/{names[0]}/explanation")
    assert not socket.parent.exists()


def test_a_release_is_asked_about_and_a_no_does_nothing() -> None:
    async def main() -> list[tuple[str, Any]]:
        source = Still()
        app = Top(source, refresh_s=None)
        async with app.run_test(size=(140, 20)) as pilot:
            await settled(pilot)
            await pilot.press("down", "r")
            await pilot.pause()
            assert isinstance(app.screen, Question)
            await pilot.press("n")
            await settled(pilot)
            assert source.posted == []
            await pilot.press("r")
            await pilot.pause()
            await pilot.press("y")
            await settled(pilot)
            await pilot.press("u")
            await settled(pilot)
        return source.posted

    posted = asyncio.run(main())
    assert posted == [("/v1/guests/id-idle/release", {}), ("/v1/guests/id-idle/unhold", {})]


def test_against_a_running_api_a_hold_arrives(tmp_path: Path) -> None:
    with live(tmp_path, names=["ada", "bob"], has_store=False) as host:
        daemon = Daemon(host.socket, None)

        async def main() -> None:
            app = Top(daemon, refresh_s=0.2)
            async with app.run_test(size=(140, 20)) as pilot:
                await until(pilot, lambda: "bob" in text_of(app), "its VMs")
                await pilot.press("h")
                await until(pilot, lambda: isinstance(app.screen, Question), "the question")
                await pilot.press("y")
                await until(pilot, lambda: "[held]" in text_of(app), "what was ordered")

        with contextlib.closing(daemon):
            asyncio.run(main())
        standing = host.loop.board.status.orders.standing
        assert [str(one.order.standing) for one in standing.values()] == ["held"]
