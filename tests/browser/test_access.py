"""The pages where the service asks for keys: the dashboard asks its user, and keeps the key for the tab alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from service.embedded import Valkey
from tests.support.keys import make_key
from tests.support.service_process import ServiceProcess


@pytest.fixture
def guarded(database_url: str, valkey: Valkey, tmp_path: Path) -> Iterator[ServiceProcess]:
    environment = {"DATABASE_URL": database_url, "REDIS_URL": valkey.url, "ASIDE_ACCESS__REQUIRED": "true"}
    replica = ServiceProcess(tmp_path / "log", environment, is_forked=True)
    try:
        yield replica.start()
    finally:
        replica.kill()


def until(browser: webdriver.Chrome, is_so: Callable[[], object]) -> None:
    WebDriverWait(browser, 20, poll_frequency=0.1).until(lambda _: is_so())


def test_the_dashboard_asks_for_a_key_and_keeps_it_for_its_tab(
    browser: webdriver.Chrome, guarded: ServiceProcess, database_url: str
):
    key = make_key(database_url, "looker", "observe:*").text
    browser.get(f"{guarded.url}/dashboard")
    access = browser.find_element(By.ID, "access")
    until(browser, access.is_displayed)
    field = browser.find_element(By.ID, "access-key")
    for given, outcome in ((key[:-1], "mistyped, or cut off"), (key, "")):
        field.send_keys(given)
        browser.find_element(By.CSS_SELECTOR, "#access button").click()
        until(browser, lambda: outcome in access.text if outcome else not access.is_displayed())  # noqa: B023
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#tiles .tile"))
    kept = browser.execute_script(
        "return [JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie]"
    )
    assert [key in place for place in kept] == [True, False, False]
    assert key not in browser.page_source


def test_the_documentation_has_a_button_to_say_who_asks(browser: webdriver.Chrome, guarded: ServiceProcess):
    browser.get(f"{guarded.url}/docs")
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "button.authorize"))
    browser.find_element(By.CSS_SELECTOR, "button.authorize").click()
    until(browser, lambda: "ApiKey" in browser.find_element(By.CSS_SELECTOR, ".auth-container").text)
