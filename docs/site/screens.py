"""Takes the pictures of dashboard and ``aerostat top`` in docs/images, of simulated guests.

``python docs/site/screens.py [--guests N] [--past SECONDS] [--guest NAME] [--folder DIR]``;
it needs Chromium, and minutes for the guests to have a past. ``--at PORT SOCKET`` takes them of a
simulated host that runs already.
"""

import argparse
import asyncio
import contextlib
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aerostat.cli.asked import Daemon
from aerostat.cli.simulated_host import TcpFace, simulated_host
from aerostat.tui.app import Top

DOCS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(DOCS.parent / "tests"))
from api.browser import Browser, browser  # noqa: E402 # the tests' own

TOKEN = "a-token-for-pictures"  # noqa: S105 # of a daemon that lives for minutes
WIDTH = 1280
PHONE = (390, 844)
TERMINAL = (132, 44)
PATIENCE_S = 3600.0
SETTLE_S = 2.5
MARGIN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A simulated host that runs."""

    port: int
    socket: Path


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guests", type=int, default=30)
    parser.add_argument("--past", type=float, default=3600.0)
    parser.add_argument("--guest", default="ci-01")
    parser.add_argument("--folder", type=Path, default=DOCS / "images")
    parser.add_argument("--at", nargs=2, metavar=("PORT", "SOCKET"))
    options = parser.parse_args()
    with _host(options) as host, tempfile.TemporaryDirectory() as scratch:

        def path(name: str) -> Path:
            folder: Path = options.folder
            return folder / f"{name}.png"

        with browser(Path(scratch, "profile")) as page:
            page.resize(WIDTH, 900)
            page.open(f"http://127.0.0.1:{host.port}/", token=TOKEN)
            _pages(page, options.guest, path)
        for name, keys in (("top", ("s", "s", "down", "down")), ("top-guest", ("enter",))):
            drawing = Path(scratch, f"{name}.svg")
            chosen = (*_to(options.guest, host.socket), *keys) if name == "top-guest" else keys
            drawing.write_text(asyncio.run(_terminal(host.socket, chosen)), "utf-8")
            _drawn(drawing, path(name), Path(scratch, f"of-{name}"))


@contextlib.contextmanager
def _host(options: argparse.Namespace) -> Iterator[Host]:
    if options.at is not None:
        yield Host(port=int(options.at[0]), socket=Path(options.at[1]))
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        face = TcpFace(port=free.getsockname()[1], token=TOKEN)
    past_s = options.past
    with simulated_host(options.guests, tcp=face, past_s=past_s, patience_s=PATIENCE_S) as api:
        yield Host(port=face.port, socket=api)


def _pages(page: Browser, guest: str, path: Callable[[str], Path]) -> None:
    page.until("document.querySelectorAll('#guests tbody tr').length > 5", "the VMs")
    page.until("document.querySelectorAll('svg.spark path[d]').length > 5", "their past")
    _dark(page, is_dark=False)
    for name, where, last in (
        ("dashboard-host", "", "#guests tbody tr:nth-child(20)"),
        ("dashboard-guest", f"guest/{guest}", ".columns"),
        ("dashboard-techniques", "techniques", ".ladder"),
        ("dashboard-events", "events", ".events li:nth-child(22)"),
        ("dashboard-doctor", "doctor", "details:nth-child(6)"),
    ):
        page.run(f"location.hash = '#/{where}'")
        page.until(f"document.querySelector('{last}') !== null", name)
        time.sleep(SETTLE_S)
        _as_high_as(page, last)
        page.picture(path(name))
        if name == "dashboard-host":
            _dark(page, is_dark=True)
            time.sleep(SETTLE_S)
            page.picture(path(f"{name}-dark"))
            _dark(page, is_dark=False)
    page.run("location.hash = '#/'")
    page.resize(*PHONE, is_phone=True)
    _dark(page, is_dark=True)
    time.sleep(SETTLE_S)
    page.picture(path("dashboard-phone"))


def _as_high_as(page: Browser, last: str) -> None:
    """Nothing is cut in its middle."""
    bottom = f"document.querySelector('{last}').getBoundingClientRect().bottom + scrollY"
    for _ in range(2):  # charts are drawn anew, and may be higher then
        page.resize(WIDTH, int(page.run(bottom)) + MARGIN)
        time.sleep(SETTLE_S)


def _dark(page: Browser, *, is_dark: bool) -> None:
    wanted = "dark" if is_dark else "light"
    page.run(
        f"document.documentElement.dataset.theme === '{wanted}'"
        " || document.getElementById('theme').click()"
    )


def _to(guest: str, api: Path) -> tuple[str, ...]:
    """The keys that lead to a guest in the list by name."""
    with contextlib.closing(Daemon(api, None)) as daemon:
        names = sorted(one["name"] for one in daemon.get("/v1/state")["guests"])
    return ("down",) * names.index(guest)


async def _terminal(api: Path, keys: tuple[str, ...]) -> str:
    """``aerostat top`` as Textual draws it."""
    with contextlib.closing(Daemon(api, None)) as daemon:
        app = Top(daemon, refresh_s=1.0, note="SIMULATED guests")
        async with app.run_test(size=TERMINAL) as pilot:
            await pilot.pause(3.0)
            for key in keys:
                await pilot.press(key)
            await pilot.pause(6.0)
            return app.export_screenshot()


def _drawn(drawing: Path, goal: Path, profile: Path) -> None:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing.read_text("utf-8"))
    assert found is not None, "a picture has a size"
    height = WIDTH * float(found[2]) / float(found[1])
    with browser(profile) as page:
        page.resize(WIDTH, int(height))
        page.call("Page.navigate", url=drawing.as_uri())
        time.sleep(SETTLE_S)
        page.picture(goal)


if __name__ == "__main__":
    main()
