"""The two pages that people look at first, in the program that they look with."""

from __future__ import annotations

from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import element_to_be_clickable, presence_of_element_located
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.conftest import hosts_asked
from tests.browser.pressed import PRESSED_WELL

IN_THE_BROWSER = (
    "operations-entities-readEntity",
    "operations-parameters-putParameterValue",
    "operations-cache-purgeCache",
    "operations-operations-metrics",
)
"""Of every kind one: without and with a body, with required parameters, of other media types, of text."""


def press(browser, operation):
    """Open an operation, press "Execute", and return the status that Swagger UI shows."""
    wait = WebDriverWait(browser, 15)
    block = wait.until(presence_of_element_located((By.ID, operation)))
    summary = block.find_element(By.CSS_SELECTOR, ".opblock-summary-control")
    summary.click()
    wait.until(element_to_be_clickable(block.find_element(By.CSS_SELECTOR, "button.execute"))).click()
    status = wait.until(
        lambda _: block.find_element(By.CSS_SELECTOR, ".live-responses-table .response .response-col_status")
    )
    told = status.text.split()[0]
    summary.click()  # closed again: what stays open makes every further press slower
    return told


def test_docs_shows_every_operation_its_examples_work_when_pressed_and_no_other_host_is_asked(browser, replicas):
    [replica] = replicas(1, ASIDE_MIGRATE_ON_START="true", ASIDE_EXAMPLE_ENTITY="true")
    browser.get(f"{replica.url}/docs")
    WebDriverWait(browser, 15).until(presence_of_element_located((By.CSS_SELECTOR, ".opblock")))
    shown = {block.get_attribute("id") for block in browser.find_elements(By.CSS_SELECTOR, ".opblock")}
    assert shown == set(PRESSED_WELL)
    assert {each: press(browser, each) for each in IN_THE_BROWSER} == {
        each: PRESSED_WELL[each] for each in IN_THE_BROWSER
    }
    assert hosts_asked(browser) == {f"127.0.0.1:{replica.port}"}


def test_redoc_shows_every_operation_and_asks_no_other_host(browser, replicas):
    [replica] = replicas()
    browser.get(f"{replica.url}/redoc")
    WebDriverWait(browser, 20).until(presence_of_element_located((By.CSS_SELECTOR, "[data-section-id] h2")))
    assert "/v1/entities/" in browser.find_element(By.TAG_NAME, "body").text
    assert hosts_asked(browser) == {f"127.0.0.1:{replica.port}"}
