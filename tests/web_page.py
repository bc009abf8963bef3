"""A page with a model, opened in headless Chromium."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sentiment.web.page import write_page
from sentiment.web.server import PageServer

READY = "() => document.querySelector('#loading') === null"


def chromium() -> str:
    """Path of Chromium; skips the test if there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium to open the page in; Debian: apt-get install chromium")
    return found


@contextmanager
def browser():
    """Chromium, through Playwright."""
    from playwright.sync_api import sync_playwright

    executable = chromium()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            yield found
        finally:
            found.close()


@contextmanager
def served(model: str, directory: Path) -> Iterator[str]:
    """The address of a page with the model."""
    write_page(model, directory)
    with PageServer(directory) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.address
        finally:
            server.shutdown()


def opened(browser, address: str, **context):
    """The page at an address, once the model is loaded; `page.faults` are its errors and refused connections."""
    page = browser.new_context(**context).new_page()
    page.faults, page.requests = [], []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(address)
    page.wait_for_function(READY)
    return page
