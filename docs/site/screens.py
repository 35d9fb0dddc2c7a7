"""Takes the pictures of dashboard and ``aerostat top`` in docs/images, of simulated guests.

``python docs/site/screens.py [--guests N] [--seconds S] [--folder DIR]``; it takes Chromium, and
so many seconds for the guests to have a past.
"""

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from aerostat.cli.asked import Daemon
from aerostat.cli.simulated_host import TcpFace, simulated_host
from aerostat.tui.app import Top

DOCS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(DOCS.parent / "tests"))
from api.browser import Browser, browser  # noqa: E402 # the tests' own

TOKEN = "a-token-for-pictures"  # noqa: S105 # of a daemon that lives for minutes
SIZE = (1280, 900)
PHONE = (390, 844)
TERMINAL = (132, 34)


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guests", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--folder", type=Path, default=DOCS / "images")
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        face = TcpFace(port=free.getsockname()[1], token=TOKEN)
    with simulated_host(options.guests, tcp=face) as api, tempfile.TemporaryDirectory() as scratch:
        time.sleep(options.seconds)
        picture = asyncio.run(_terminal(api))
        with browser(Path(scratch, "profile")) as page:
            page.resize(*SIZE)
            page.open(f"http://127.0.0.1:{face.port}/", token=TOKEN)
            _pages(page, options.guests, lambda name: options.folder / f"{name}.png")
        drawing = Path(scratch, "top.svg")
        drawing.write_text(picture, "utf-8")
        _drawn(drawing, options.folder / "top.png", Path(scratch, "other"))


def _pages(page: Browser, guests: int, path: Callable[[str], Path]) -> None:
    page.until(f"document.querySelectorAll('#guests tbody tr').length === {guests}", "the VMs")
    page.until("document.querySelectorAll('svg.spark path[d]').length > 9", "their past")
    by_holds = "[...document.querySelectorAll('th button')].find(b => b.textContent === 'holds')"
    page.run(f"{by_holds}.click()")
    _take(page, "dashboard-host", path)
    page.resize(*PHONE, is_phone=True)
    _dark(page, is_dark=True)
    time.sleep(1)
    page.picture(path("dashboard-phone"))
    _dark(page, is_dark=False)
    page.resize(*SIZE)
    page.run("location.hash = '#/techniques'")
    page.until("document.querySelector('.ladder thead .now') !== null", "the ladder")
    _take(page, "dashboard-techniques", path)
    page.run("location.hash = '#/guest/db-01'")
    page.until("document.querySelectorAll('.chart canvas').length === 1", "the chart")
    ten = "[...document.querySelectorAll('.ranges button')].find(b => b.textContent === '10m')"
    page.run(f"{ten}.click()")
    _take(page, "dashboard-guest", path)


def _take(page: Browser, name: str, path: Callable[[str], Path]) -> None:
    time.sleep(2)
    page.picture(path(name))
    _dark(page, is_dark=True)
    time.sleep(1)
    page.picture(path(f"{name}-dark"))
    _dark(page, is_dark=False)


def _dark(page: Browser, *, is_dark: bool) -> None:
    wanted = "dark" if is_dark else "light"
    page.run(
        f"document.documentElement.dataset.theme === '{wanted}'"
        " || document.getElementById('theme').click()"
    )


async def _terminal(api: Path) -> str:
    """``aerostat top`` as Textual draws it."""
    app = Top(Daemon(api, None), refresh_s=1.0)
    async with app.run_test(size=TERMINAL) as pilot:
        await pilot.pause(3.0)
        await pilot.press("s", "s", "down", "down")
        await pilot.pause(3.0)
        return app.export_screenshot()


def _drawn(drawing: Path, goal: Path, profile: Path) -> None:
    with browser(profile) as page:
        page.resize(1280, 760)
        page.call("Page.navigate", url=drawing.as_uri())
        time.sleep(3)
        page.picture(goal)


if __name__ == "__main__":
    main()
