"""The site builds without a warning, its links lead somewhere, and nothing comes from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from api.browser import CHROMIUM, Browser
from docs.generated import ROOT, writer

pytestmark = pytest.mark.slow

ATTRIBUTE = re.compile(r'\b(?:href|src)="([^"]*)"')
LOADED = re.compile(r'<(?:script|link|img|source|iframe)\b[^>]*\b(?:href|src)="([^"]*)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of the builder (links, anchors, navigation) is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_link_leads_somewhere(site: Path) -> None:
    broken = []
    for page in pages(site):
        text = page.read_text("utf-8")
        for link in ATTRIBUTE.findall(text):
            parts = urlsplit(link)
            if parts.scheme or not parts.path or page.name == "404.html":
                continue
            if not (page.parent / unquote(parts.path)).exists():
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    fetched = [
        f"{page.name}: {link}"
        for page in pages(site)
        for link in LOADED.findall(page.read_text("utf-8"))
        if urlsplit(link).netloc
    ]
    assert fetched == []
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\((?:\"|')?https?:", styles) == []


def test_pictures_are_drawn_from_what_was_measured() -> None:
    for name, text in writer("pictures").pictures().items():
        assert (ROOT / "docs" / "images" / name).read_text("utf-8") == text, "run script/docs"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_it_reads_and_searches_from_a_folder(site: Path, tmp_path: Path) -> None:
    """No server, no network: what a package or an archive would bring."""
    browser = Browser(tmp_path / "profile", width=1280, height=900)
    try:
        browser.call("Emulation.setFocusEmulationEnabled", enabled=True)
        browser.open((site / "index.html").as_uri())
        browser.until("document.querySelector('.md-content h1') !== null", "the page is there")
        assert "Aerostat" in browser.run("document.title")
        shoot(browser, "docs-home")
        browser.open((site / "explanation" / "ballooning.html").as_uri())
        browser.until(
            "[...document.images].length > 1 && [...document.images].every(i => i.naturalWidth)",
            "every picture is there",
        )
        browser.run("window.scrollTo(0, 700)")
        shoot(browser, "docs-ballooning")
        browser.run("document.querySelector('[data-md-component=search-query]').focus()")
        browser.until(
            "document.querySelector('.md-search-result__meta').innerText.startsWith('Type')",
            "the index is there",
        )
        browser.call("Input.insertText", text="distress")
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key=" ", text=" ")
        browser.until("document.querySelectorAll('.md-search-result__item').length > 3", "it finds")
        shoot(browser, "docs-search")
        browser.open((site / "configuration.html").as_uri())
        browser.until("document.querySelectorAll('table').length > 8", "the tables are there")
        shoot(browser, "docs-configuration")
        assert browser.complaints == []
    finally:
        browser.close()


def shoot(browser: Browser, name: str) -> None:
    """A picture for whoever asks: ``AEROSTAT_PICTURES=FOLDER``."""
    if folder := os.environ.get("AEROSTAT_PICTURES"):
        browser.picture(Path(folder) / f"{name}.png")


def pages(site: Path) -> list[Path]:
    found = sorted(site.rglob("*.html"))
    assert len(found) > 40
    return found
