"""The dashboard in a real browser: it loads, lives, and what is said on it arrives at the guest."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aerostat.units import MIB
from api.browser import CHROMIUM, Browser, browser
from api.live import CONTROL, READ, Live, live

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

HOSTILE = '<img src=x onerror="window.hijacked=1">'
NAMES = ["ada", "bob", "cleo", HOSTILE]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("h"), names=NAMES) as one:
        yield one


@pytest.fixture
def page(tmp_path: Path, host: Live) -> Iterator[Browser]:
    with browser(tmp_path / "profile") as one:
        one.open(f"http://127.0.0.1:{host.port}/", token=CONTROL)
        one.until("document.querySelectorAll('#guests tbody tr').length >= 4", "the guests")
        yield one


def keep(page: Browser, name: str) -> None:
    """Keep a picture to look at, where a folder for them is named."""
    if folder := os.environ.get("AEROSTAT_PICTURES"):
        page.picture(Path(folder) / f"{name}.png")


def test_it_loads_lives_and_nothing_complains(page: Browser) -> None:
    page.until("Number(document.documentElement.dataset.drawn) >= 4", "it is drawn again and again")
    assert page.run("document.getElementById('link').textContent") == "live"
    assert page.run("document.getElementById('mode').textContent") == "enforce"
    assert page.run("window.hijacked === undefined")
    names = page.run("[...document.querySelectorAll('td.name a')].map(a => a.textContent)")
    assert sorted(names) == sorted(NAMES)
    assert page.complaints == []


def test_sorted_filtered_and_found_by_keyboard(page: Browser) -> None:
    page.run(
        "[...document.querySelectorAll('th button')].find(b => b.textContent === 'VM').click()"
    )
    first = "document.querySelector('td.name a').textContent"
    page.until(f"{first} === 'cleo'", "it is sorted downwards")
    page.run("dispatchEvent(new KeyboardEvent('keydown', {key: '/'}))")
    assert page.run("document.activeElement.id") == "filter"
    page.run(
        "(() => { const f = document.getElementById('filter'); f.value = 'bob';"
        " f.dispatchEvent(new Event('input')); })()"
    )
    assert page.run("document.querySelectorAll('#guests tbody tr').length") == 1
    assert page.run("document.querySelector('.count').textContent") == "1 of 4"
    reachable = "[...document.querySelectorAll('main a, main button, main input')]"
    assert page.run(f"{reachable}.every(e => e.tabIndex >= 0)")


def test_a_guests_page_draws_its_history_and_says_why(page: Browser, host: Live) -> None:
    host.until(lambda: len(history(host)) >= 3, "there is a history")
    page.run(
        "[...document.querySelectorAll('td.name a')].find(a => a.textContent === 'ada').click()"
    )
    page.until("document.querySelector('h1')?.textContent === 'ada'", "its page")
    page.until("document.querySelectorAll('.chart canvas').length === 1", "the chart")
    shown = "document.querySelectorAll('.mini canvas, .mini .empty').length"
    page.until(f"{shown} === 3", "pressure, swap, and the host's swap, or that nobody tells")
    painted = (
        "(() => { const c = document.querySelector('.chart canvas');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return new Set(new Uint32Array(d.buffer)).size; })()"
    )
    page.until(f"{painted} > 4", "it is painted")
    page.until("document.querySelectorAll('ul.plain li').length > 0", "what would change it")
    keep(page, "guest")
    assert page.complaints == []


def go_to(page: Browser, name: str) -> None:
    link = f"[...document.querySelectorAll('td.name a')].find(a => a.textContent === '{name}')"
    page.run(f"{link}.click()")
    page.until(f"document.querySelector('h1')?.textContent === '{name}'", "its page")


def history(host: Live) -> list[float]:
    with host.client() as client:
        at: list[float] = client.get("/v1/guests/ada/history").json()["at"]
        return at


def test_what_is_said_on_the_page_arrives_at_the_guest(page: Browser, host: Live) -> None:
    go_to(page, "bob")
    page.run("document.getElementById('set-min').value = '500MiB'")
    page.run("document.getElementById('set').click()")
    page.until("document.getElementById('toast').textContent === 'set: accepted'", "it is accepted")
    host.until(lambda: host.world.guest("bob").target_bytes >= 500 * MIB, "it is at the guest")
    page.until("document.querySelector('.chip.order')?.textContent === 'limits set'", "it is shown")
    page.run("document.getElementById('set-min').value = 'default'")
    page.run("document.getElementById('set').click()")
    page.until("document.querySelector('.chip.order') === null", "it is given back")
    page.run("document.getElementById('release').click()")
    assert page.run("document.getElementById('ask').open"), "a release is asked about"
    page.run("document.getElementById('ask-yes').click()")
    page.until(
        "document.querySelector('.chip.order')?.textContent === 'released'", "it is released"
    )
    page.run("document.getElementById('unhold').click()")
    page.until("document.querySelector('.chip.order') === null", "it is over")


def test_events_come_by_themselves(page: Browser, host: Live) -> None:
    page.run("location.hash = '#/events'")
    with host.client() as client:
        client.post("/v1/guests/cleo/hold", json={"for": "1s"}).raise_for_status()
    page.until(
        "document.querySelector('.events')?.innerText.includes('hold --for 1s')", "it is told"
    )
    keep(page, "events")


def test_techniques_are_what_the_host_has_and_may_use(page: Browser, host: Live) -> None:
    page.run("location.hash = '#/techniques'")
    page.until("document.querySelectorAll('.ladder tbody tr').length === 11", "the ladder")
    now = host.loop.board.status.last
    assert now is not None
    page.until("document.querySelector('.ladder thead .now') !== null", "the state is marked")
    taken = "document.querySelector('.cards .big').textContent"
    page.until(f"/[1-9].*[KMG]iB/.test({taken})", "what balloons hold")
    rows = "[...document.querySelectorAll('.ladder tbody tr')]"
    may = f"{rows}.map(row => row.querySelectorAll('.yes').length)"
    assert page.run(may) == [1, 4, 0, 4, 4, 0, 0, 0, 1, 2, 1]
    shown = f"{rows}.filter(row => row.querySelector('.chip').offsetWidth > 0).length"
    assert page.run(shown) == 0, "no technique of the host's own is in use here"
    assert page.run("document.querySelector('nav a[aria-current]').textContent") == "Techniques"
    assert page.complaints == []
    keep(page, "techniques")


def test_dark_and_light_and_a_phone(page: Browser) -> None:
    keep(page, "overview-light")
    light = page.run("getComputedStyle(document.body).backgroundColor")
    page.run("document.getElementById('theme').click()")
    dark = page.run("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    keep(page, "overview-dark")
    page.resize(390, 844, is_phone=True)
    page.until("document.documentElement.scrollWidth <= innerWidth + 1", "nothing is cut off")
    keep(page, "phone")


def test_without_a_token_it_asks_for_one_and_a_reader_may_look(tmp_path: Path, host: Live) -> None:
    with browser(tmp_path / "profile") as one:
        one.open(f"http://127.0.0.1:{host.port}/")
        one.until("document.getElementById('login')?.open", "it asks")
        one.run(f"document.getElementById('token').value = '{READ}'")
        one.run("document.querySelector('#login button').click()")
        one.until("document.querySelectorAll('#guests tbody tr').length >= 4", "the guests")
        one.run("location.hash = document.querySelector('td.name a').hash")
        one.until("document.getElementById('hold') !== null", "its page")
        one.run("document.getElementById('hold').click()")
        one.until("document.getElementById('toast').textContent.includes('only read')", "refused")


LONG = [f"a-virtual-machine-of-team-{number:04}" for number in range(8)]
"""30 characters each."""


def test_long_names_never_push_anything_out_of_the_page(tmp_path: Path) -> None:
    inside = (
        "[...document.querySelectorAll('#guests td')].filter(e => e.offsetWidth > 0)"
        ".every(e => e.getBoundingClientRect().right <= innerWidth + 1)"
    )
    chip = "document.querySelector('#guests .chip.order')"
    whole = (
        f"(() => {{ const c = {chip}.getBoundingClientRect(),"
        f" p = {chip}.closest('td').getBoundingClientRect();"
        f" return c.width > 20 && c.left >= p.left && c.right <= p.right + 1; }})()"
    )
    with live(tmp_path, names=LONG, has_store=False) as one, browser(tmp_path / "p") as page:
        page.open(f"http://127.0.0.1:{one.port}/", token=CONTROL)
        page.until("document.querySelectorAll('#guests tbody tr').length === 8", "the guests")
        with one.client() as client:
            client.post(f"/v1/guests/{LONG[0]}/hold", json={}).raise_for_status()
        page.until(f"{chip} !== null", "what was ordered is shown")
        for width in (1280, 1024, 800, 700, 390):
            page.resize(width, 844, is_phone=width < 500)
            page.until(f"innerWidth === {width}", "it has its size")
            assert page.run("document.documentElement.scrollWidth") <= width, width
            assert page.run(inside), width
            assert page.run(whole), f"the sign can be read at {width}"
            keep(page, f"long-{width}")
        assert page.complaints == []


def test_on_a_phone_sizes_say_what_they_are_and_can_be_sorted_by(page: Browser) -> None:
    page.resize(390, 844, is_phone=True)
    page.until("innerWidth === 390", "it has its size")
    named = (
        "[...document.querySelectorAll('#guests tbody tr:first-child td.r')]"
        ".filter(e => e.offsetWidth > 0)"
        ".map(e => getComputedStyle(e, '::before').content.replaceAll('\"', ''))"
    )
    assert page.run(named) == ["holds", "target", "max", "needs"]
    assert page.run("document.getElementById('sort').offsetWidth") > 0
    page.run(
        "(() => { const s = document.getElementById('sort'); s.value = 'actual';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    head = "document.querySelector('#guests th.actual').getAttribute('aria-sort')"
    page.until(f"{head} === 'descending'", "it is sorted by what they hold")


def test_decisions_are_on_the_chart_and_say_why(page: Browser, host: Live) -> None:
    def has_decided() -> bool:
        with host.client() as client:
            told = client.get("/v1/events", params={"vm": "ada"}).json()["events"]
            return any(event["kind"] == "target" for event in told)

    host.until(lambda: has_decided() and len(history(host)) >= 3, "something was decided")
    go_to(page, "ada")
    chart = "document.querySelector('.chart')"
    page.until(f"Number({chart}?.dataset.decisions) > 0", "decisions are drawn")
    page.run(
        f"(() => {{ const o = {chart}.querySelector('.u-over'), r = o.getBoundingClientRect();"
        f" const [x, y] = {chart}.dataset.last.split(' ').map(Number);"
        " const at = {clientX: r.left + x, clientY: r.top + y, bubbles: true};"
        " o.dispatchEvent(new MouseEvent('mouseenter', at));"
        " o.dispatchEvent(new MouseEvent('mousemove', at)); })()"
    )
    tip = f"{chart}.querySelector('.tip')"
    page.until(f"!{tip}.hidden && / · .*iB -> .*iB: /.test({tip}.textContent)", "why")
    keep(page, "guest-decision")
    figures = page.run(
        "[...document.querySelectorAll('.chart-legend b, .minis b')].map(e => e.textContent)"
    )
    assert len(figures) == 9
    assert "–" not in "".join(figures), "what is not known is said in words"  # noqa: RUF001
    ranges = page.run("[...document.querySelectorAll('.ranges button')].map(e => e.textContent)")
    assert ranges == ["10 min", "1 h", "1 d", "1 w"]
    for number in range(4):
        page.run(f"document.querySelectorAll('.ranges button')[{number}].click()")
        page.until(f"Number({chart}?.dataset.decisions) > 0", "and drawn again")
    assert page.complaints == []


def test_the_doctors_page_says_what_does_not_work_and_the_change_that_helps(
    tmp_path: Path,
) -> None:
    good = {"check": "memory", "grade": "good", "says": "8 GiB RAM"}
    bad = {
        "check": "balloon",
        "grade": "problem",
        "says": f"it has no balloon device {HOSTILE}",
        "fix": "start it with -device virtio-balloon-pci",
    }
    found = {
        "schema": "aerostat.doctor/1", "aerostat": "1", "at": "2026-11-24T03:43:00+00:00",
        "has_problem": True, "host": [good],
        "vms": [
            {"name": "well", "platform": "qemu", "verdict": "balloonable", "findings": [good]},
            {"name": "ill", "platform": "qemu", "verdict": "monitor only", "findings": [good, bad]},
        ],
    }  # fmt: skip
    rounds: list[int] = []

    def doctor() -> dict[str, object]:
        rounds.append(1)
        return found

    with (
        live(tmp_path, names=["ada"], has_store=False, doctor=doctor) as one,
        browser(tmp_path / "p") as page,
    ):
        page.open(f"http://127.0.0.1:{one.port}/#/doctor", token=READ)
        page.until("document.querySelectorAll('details').length === 2", "both VMs")
        names = "[...document.querySelectorAll('summary b')].map(e => e.textContent)"
        assert page.run(names) == ["ill", "well"], "who is ill comes first"
        assert page.run("document.querySelector('details').open")
        shown = page.run("document.querySelector('details').innerText")
        assert bad["fix"] in shown
        assert HOSTILE in shown
        assert page.run("window.hijacked === undefined")
        assert page.run("document.querySelector('.cards .big').textContent") == "1 of 2"
        page.until("document.querySelector('.lead').textContent.includes('Looked at')", "its age")
        page.run(
            "(() => { const g = document.getElementById('grade'); g.value = 'change';"
            " g.dispatchEvent(new Event('change')); })()"
        )
        assert page.run(names) == ["ill"]
        assert len(rounds) == 1
        keep(page, "doctor")
        assert page.complaints == []


UPDATE_MS_MAX = 300.0
"""A page of 500 guests is to take under 100 ms of the main thread for an update; machines that
test it are slower than those that show it, and others work on them."""


def test_500_guests_stay_fluid(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    names = [f"vm-{number:03}" for number in range(500)]
    with live(tmp_path, names=names, has_store=False) as one, browser(tmp_path / "p") as page:
        page.open(f"http://127.0.0.1:{one.port}/", token=CONTROL)
        page.until("document.querySelectorAll('#guests tbody tr').length === 500", "the guests")
        head = "[...document.querySelectorAll('th button')].find(b => b.textContent === 'holds')"
        page.run(f"{head}.click()")
        before = int(page.run("Number(document.documentElement.dataset.drawn)"))
        page.until(f"Number(document.documentElement.dataset.drawn) > {before + 12}", "updates")
        typical = float(page.run("document.documentElement.dataset.typical"))
        slowest = float(page.run("document.documentElement.dataset.slowest"))
        print(  # noqa: T201 # the figure is what is wanted
            f"500 guests: an update takes {typical} ms, the slowest {slowest} ms"
        )
        record_property("update_ms", typical)
        assert 0 < typical < UPDATE_MS_MAX
        page.run("document.getElementById('filter').value = 'vm-49'")
        page.run("document.getElementById('filter').dispatchEvent(new Event('input'))")
        assert page.run("document.querySelectorAll('#guests tbody tr').length") == 10
        keep(page, "500")
        assert page.complaints == []
