"""A real Chromium, headless, that tells which addresses its pages asked for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1200,2400",
)  # fmt: skip

# Chromium is the one part that does not come with the environment. Where somebody asked for everything (CI does), its
# absence is a failure; elsewhere these tests are left out, and the head of the run says so (tests/conftest.py).
if not (CHROMIUM and DRIVER) and not os.environ.get("CI"):
    collect_ignore_glob = ["test_*.py"]


@contextmanager
def started_browser(folder: Path) -> Iterator[webdriver.Chrome]:
    """One that keeps its profile in ``folder``."""
    assert CHROMIUM, "chromium is missing: apt-get install chromium"
    assert DRIVER, "chromedriver is missing: apt-get install chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*QUIET, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.implicitly_wait(10)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with started_browser(tmp_path) as driver:
        yield driver


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What it has written to its console as a failure since the last question."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def hosts_asked(browser: webdriver.Chrome) -> set[str]:
    """The hosts that its pages have sent requests to, since the last question.

    What a page's own content security policy forbade never left the browser: ReDoc would like to show a logo.
    """
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    forbidden = {
        message["params"]["requestId"]
        for message in messages
        if message["method"] == "Network.loadingFailed" and message["params"].get("blockedReason") == "csp"
    }
    urls = [
        urlsplit(message["params"]["request"]["url"])
        for message in messages
        if message["method"] == "Network.requestWillBeSent" and message["params"]["requestId"] not in forbidden
    ]
    return {url.netloc for url in urls if url.scheme in {"http", "https"}}
