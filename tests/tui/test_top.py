"""``aerostat top`` as it looks and is used, on a state that stands still and on a real API."""

import asyncio
import contextlib
import html
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from aerostat.cli.asked import Daemon
from aerostat.cli.simulated_host import simulated_host
from aerostat.tui.app import Question, Top
from aerostat.tui.detail import Detail
from aerostat.tui.table import GuestTable
from api.live import CONTROL, READ, live
from deadlines import PATIENCE_S

pytestmark = pytest.mark.slow  # whole terminals

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
        "account": {
            "guests_used_bytes": 3 * GIB, "guests_cache_bytes": GIB, "guests_free_bytes": GIB // 2,
            "guests_unknown_bytes": 0, "host_itself_bytes": GIB + GIB // 2,
            "reserve_bytes": 800 * MIB, "available_beyond_reserve_bytes": 1248 * MIB,
        },
    },
    "guests": GUESTS,
}  # fmt: skip


EVENTS = [
    {"at": "2026-11-24T03:41:00+00:00", "kind": "balloon_moved", "name": "web", "words": "holds"},
    {"at": "2026-11-24T03:42:00+00:00", "kind": "target", "name": "web", "words": "grown",
     "reason": "grown_to_demand"},
    {"at": "2026-11-24T03:43:00+00:00", "kind": "technique", "words": "merging\x1b[31m is on"},
]  # fmt: skip
PAST = {
    "at": [0.0, 600.0, 1200.0, 1800.0],
    "actual_bytes": [GIB, 800 * MIB, 600 * MIB, 600 * MIB],
    "used_bytes": [300 * MIB] * 4, "cache_bytes": [100 * MIB] * 4, "free_bytes": [150 * MIB] * 4,
    "target_bytes": [GIB, 600 * MIB, 600 * MIB, 600 * MIB],
    "pressure_some_ratio": [0.0, 0.2, 0.4, 0.1],
}  # fmt: skip


class Still:
    """A daemon in which nothing changes."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []

    def get(self, path: str, **query: str) -> Any:
        del query
        if path == "/v1/state":
            return STATE
        if path == "/v1/events":
            return {"events": EVENTS}
        if path.endswith("/history"):
            return PAST
        if path.endswith("/explanation"):
            return {"prospects": {"sentences": [f"why of {path}"]}, "last": []}
        return next(one for one in GUESTS if one["id"] == unquote(path.rpartition("/")[2]))

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
    for _ in range(2):  # what is begun by what has come
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def look(width: int, height: int) -> str:
    app = Top(Still(), refresh_s=None)
    async with app.run_test(size=(width, height)) as pilot:
        await settled(pilot)
        return text_of(app)


async def until(pilot: Any, condition: Callable[[], bool], what: str) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_s, f"{what}: not within {PATIENCE_S} s"
        await pilot.pause(0.05)


@pytest.mark.parametrize(("width", "height"), [(80, 18), (110, 18), (140, 32)])
def test_it_looks_as_it_did(width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    check(GOLDEN / f"top-{width}.txt", asyncio.run(look(width, height)))


def test_a_guests_page_looks_as_it_did() -> None:
    async def main() -> str:
        app = Top(Still(), refresh_s=None)
        async with app.run_test(size=(100, 30)) as pilot:
            await settled(pilot)
            await pilot.press("down", "down", "enter")
            await settled(pilot)
            return text_of(app)

    check(GOLDEN / "guest-100.txt", asyncio.run(main()))


def check(golden: Path, text: str) -> None:
    if os.environ.get("AEROSTAT_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_sorted_filtered_and_asked_why() -> None:
    async def main() -> None:
        app = Top(Still(), refresh_s=None)
        async with app.run_test(size=(140, 40)) as pilot:
            await settled(pilot)

            def ids() -> list[str]:
                return app.query_one(GuestTable).ids

            assert ids() == ["id-db\x1b[31m", "id-idle", "id-web"]
            await pilot.press("s")
            assert ids()[0] == "id-idle", "the largest comes first"
            await pilot.press("slash", "w", "e", "b", "enter")
            assert ids() == ["id-web"]
            await pilot.press("enter")
            await settled(pilot)
            assert "why of /v1/guests/id-web/explanation" in text_of(app)
            await pilot.press("escape")
            await settled(pilot)
            assert not isinstance(app.screen, Detail)

    asyncio.run(main())


class Moving(Still):
    """One VM changes from one look to the next; all others stay."""

    def __init__(self) -> None:
        super().__init__()
        self.held_bytes = 600 * MIB

    def get(self, path: str, **query: str) -> Any:
        web = guest("web", actual_bytes=self.held_bytes, words=f"holds {self.held_bytes}")
        if path == "/v1/guests/id-web":
            return web
        if path != "/v1/state":
            return super().get(path, **query)
        return {**STATE, "guests": [web, *GUESTS[1:]]}


def test_only_what_has_changed_is_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 VMs have 1400 cells: writing each of them every second would keep a terminal busy."""
    written: list[tuple[Any, Any]] = []
    update_cell = GuestTable.update_cell

    def noted(self: GuestTable, row: Any, column: Any, *more: Any, **options: Any) -> None:
        written.append((row, column))
        update_cell(self, row, column, *more, **options)

    monkeypatch.setattr(GuestTable, "update_cell", noted)

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
                ("2", "memory, up to max"), ("2", "holds"), ("2", "why")
            }  # fmt: skip

    asyncio.run(main())


class Swapping(Still):
    """Fifty VMs, two of which change places by what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0

    def get(self, path: str, **query: str) -> Any:
        if path != "/v1/state":
            return super().get(path, **query)
        held = {number: (900 - 10 * number) * MIB for number in range(50)}
        if self.turn % 2:
            held[30], held[31] = held[31], held[30]
        guests = [guest(f"vm-{number:02}", actual_bytes=held[number]) for number in range(50)]
        return {**STATE, "guests": guests}


def test_the_view_and_the_chosen_one_stay_while_the_order_changes() -> None:
    async def main() -> None:
        source = Swapping()
        app = Top(source, refresh_s=None)
        async with app.run_test(size=(100, 20)) as pilot:
            await settled(pilot)
            table = app.query_one(GuestTable)
            await pilot.press("s", *["down"] * 30)
            await pilot.wait_for_scheduled_animations()
            await settled(pilot)
            before = table.scroll_offset.y
            assert before > 0
            assert table.chosen == "id-vm-30"
            source.turn = 1
            app.look()
            await settled(pilot)
            assert table.ids[30] == "id-vm-31", "they have changed places"
            assert table.chosen == "id-vm-30", "who was chosen still is"
            assert table.scroll_offset.y == before, "nothing has jumped"

    asyncio.run(main())


def test_at_80_columns_the_chosen_ones_reason_is_told_in_full() -> None:
    async def main() -> str:
        app = Top(Still(), refresh_s=None)
        async with app.run_test(size=(80, 16)) as pilot:
            await settled(pilot)
            return text_of(app)

    assert "db?[31m: released: it is short of memory" in asyncio.run(main())


class Slow(Still):
    """A daemon that does not answer before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()
        self.asked = 0

    def get(self, path: str, **query: str) -> Any:
        self.asked += path == "/v1/state"
        assert self.may_answer.wait(PATIENCE_S)
        return super().get(path, **query)


def test_a_slow_daemon_is_not_asked_again_before_it_has_answered() -> None:
    async def main() -> None:
        source = Slow()
        app = Top(source, refresh_s=None)
        async with app.run_test(size=(100, 20)) as pilot:
            await until(pilot, lambda: source.asked == 1, "it is asked")
            for _ in range(5):
                app.look()
                await pilot.pause()
            source.may_answer.set()
            await settled(pilot)
            assert source.asked == 1
            app.look()
            await settled(pilot)
            assert source.asked == 2
            assert "web" in text_of(app)

    asyncio.run(main())


def test_events_are_shown_when_asked_for_and_hidden_again() -> None:
    async def main() -> None:
        app = Top(Still(), refresh_s=None)
        async with app.run_test(size=(100, 20)) as pilot:
            await settled(pilot)
            assert "merging?[31m is on" not in text_of(app)
            await pilot.press("e")
            await settled(pilot)
            assert "merging?[31m is on" in text_of(app)
            await pilot.press("e")
            await settled(pilot)
            assert "merging?[31m is on" not in text_of(app)

    asyncio.run(main())


def test_a_guests_page_is_live_and_takes_commands() -> None:
    source = Moving()

    async def main() -> None:
        app = Top(source, refresh_s=None)
        async with app.run_test(size=(110, 40)) as pilot:
            await settled(pilot)
            await pilot.press("down", "down", "enter")
            await settled(pilot)
            page = app.screen
            assert isinstance(page, Detail)
            assert "holds 600 MiB" in text_of(app)
            source.held_bytes = 700 * MIB
            page.look()
            await settled(pilot)
            assert "holds 700 MiB" in text_of(app)
            await pilot.press("r")
            await pilot.pause()
            assert isinstance(app.screen, Question)
            await pilot.press("y")
            await settled(pilot)
            assert isinstance(app.screen, Detail), "it is still its page"

    asyncio.run(main())
    assert source.posted == [("/v1/guests/id-web/release", {})]


def test_a_demo_has_a_daemon_of_its_own() -> None:
    with simulated_host(12) as socket, contextlib.closing(Daemon(socket, None)) as daemon:
        state = daemon.get("/v1/state")
        names = [one["name"] for one in state["guests"]]
        assert len(names) == 12
        assert state["mode"] == "enforce"
        assert daemon.post(f"/v1/guests/{names[0]}/hold", {})["outcome"] == "accepted"
        assert "text" in daemon.get(f"/v1/guests/{names[0]}/explanation")
    assert not socket.parent.exists()


def test_a_demo_may_have_a_past_a_doctor_and_techniques() -> None:
    """As pictures need it; what is shown is the simulated host, not this machine."""
    with (
        simulated_host(24, past_s=60.0, patience_s=PATIENCE_S) as socket,
        contextlib.closing(Daemon(socket, None)) as daemon,
    ):
        at = daemon.get("/v1/guests/db-01/history", since="10m")["at"]
        assert at[-1] - at[0] > 45.0
        assert abs(time.time() - at[-1]) < PATIENCE_S
        found = daemon.get("/v1/doctor")
        ill = [vm["name"] for vm in found["vms"] if vm["verdict"] != "balloonable"]
        assert ill == ["dev-02"]
        assert all("simulated" in finding["says"] for finding in found["host"][:2])
        assert daemon.get("/v1/techniques")["techniques"]["ksm"]["words"] == "simulated"


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


def test_over_tcp_a_token_decides_who_may_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remote daemon: whoever may only read sees everything, and is told so when commanding."""
    with live(tmp_path, names=["ada", "bob"], has_store=False) as host:

        async def said(told: str) -> None:
            app = Top(daemon, refresh_s=0.2)
            async with app.run_test(size=(140, 20), notifications=True) as pilot:
                await until(pilot, lambda: "bob" in text_of(app), "its VMs")
                await pilot.press("h")
                await until(pilot, lambda: isinstance(app.screen, Question), "the question")
                await pilot.press("y")
                await until(pilot, lambda: told in text_of(app), "the answer")

        for token, told in ((READ, "may only read"), (CONTROL, "[held]")):
            monkeypatch.setenv("AEROSTAT_TOKEN", token)
            with contextlib.closing(Daemon(None, f"http://127.0.0.1:{host.port}")) as daemon:
                asyncio.run(said(told))
        standing = host.loop.board.status.orders.standing
        assert [str(one.order.standing) for one in standing.values()] == ["held"]


def test_over_tcp_without_a_token_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AEROSTAT_TOKEN", raising=False)
    with (
        live(tmp_path, names=["ada"], has_store=False) as host,
        contextlib.closing(Daemon(None, f"http://127.0.0.1:{host.port}")) as daemon,
    ):

        async def main() -> None:
            app = Top(daemon, refresh_s=0.2)
            async with app.run_test(size=(140, 20)) as pilot:
                await until(pilot, lambda: "a bearer token is needed" in text_of(app), "why not")

        asyncio.run(main())
