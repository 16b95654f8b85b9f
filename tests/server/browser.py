"""A browser for tests of the page: tabs that remember what went wrong in them, and the server that they ask."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import page_script as scripted

import finback
from finback.checkpoint import Card, load
from finback.engine import Engine
from finback.server.service import Model, Service
from finback.text import load_tokenizer

FIRST = Path(finback.__file__).parent / "models" / "first"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def service() -> Service:
    return Service([Model("first", Engine(load(FIRST), load_tokenizer(FIRST)), Card())])


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install finback[test]")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def log() -> list[dict]:
    return []


@pytest.fixture(scope="module")
def server(log) -> Iterator[str]:
    made = service()
    with scripted.running(scripted.app(made, log)) as url:
        yield url
    made.close()


class Tab:
    """A tab of a fresh browser profile that remembers what went wrong in it."""

    def __init__(self, browser, url: str, **options):
        self.url, self.errors = url, []
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, "locale": "en-GB", **options})
        self.context.set_default_timeout(30000)
        self.open()

    def open(self):
        self.page = self.context.new_page()
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.errors.append(m.text))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("request", lambda r: None if r.url.startswith((self.url, "blob:")) else self.errors.append(f"asks {r.url}"))
        self.page.goto(self.url)
        self.ready()

    def ready(self):
        self.page.wait_for_selector("body[data-ready]")

    def reload(self):
        self.page.reload()
        self.ready()

    def type(self, text: str):
        self.page.fill("#ask", text)
        self.page.press("#ask", "Enter")

    def ask(self, text: str):
        self.type(text)
        self.done()

    def done(self):
        self.until("document.querySelector('#stop').hidden && document.querySelector('.message:last-child .foot')?.children.length")

    def until(self, expression: str):
        """Waits until JavaScript is true; playwright's own way evaluates strings in the page, which its policy forbids."""
        wait_until(lambda: self.page.evaluate(expression), 30)

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def answers(self) -> list[str]:
        return [text.strip() for text in self.texts(".assistant > .markdown")]

    def setting(self, fill: dict[str, str] = {}, select: dict[str, str] = {}):
        self.page.click("#open-settings")
        for selector, value in fill.items():
            self.page.fill(selector, value)
        for selector, value in select.items():
            self.page.select_option(selector, value)
        self.page.keyboard.press("Tab")
        self.page.click("#settings header button")


@pytest.fixture
def tab(chromium, server, log):
    log.clear()
    made = Tab(chromium, server)
    yield made
    made.context.close()
    assert made.errors == []


def wait_until(true: Callable[[], bool], seconds: float = 30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
