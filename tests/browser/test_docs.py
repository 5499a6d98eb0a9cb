"""The two pages that people look at first, in the program that they look with."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import element_to_be_clickable, presence_of_element_located
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.conftest import hosts_asked

PRESSED_WELL = {
    "operations-entities-readEntity": "200",
    "operations-entities-headEntity": "200",
    "operations-entities-putEntity": "200",
    "operations-entities-patchEntity": "200",
    "operations-entities-deleteEntity": "204",
    "operations-entities-listEntities": "200",
    "operations-entities-batchReadEntities": "200",
    "operations-parameters-listParameters": "200",
    "operations-parameters-batchReadParameters": "200",
    "operations-parameters-readParameter": "200",
    "operations-parameters-headParameter": "200",
    "operations-parameters-readParameterValue": "200",
    "operations-parameters-headParameterValue": "200",
    "operations-parameters-listParameterVersions": "200",
    "operations-parameters-diffParameter": "200",
    "operations-parameters-putParameter": "200",
    "operations-parameters-putParameterValue": "200",
    "operations-parameters-rollBackParameter": "200",
    "operations-parameters-deleteParameter": "204",
    "operations-cache-listPolicies": "200",
    "operations-cache-readPolicy": "200",
    "operations-cache-putPolicy": "200",
    "operations-cache-listPolicyVersions": "200",
    "operations-cache-removePolicy": "204",
    "operations-cache-explainEntry": "200",
    "operations-cache-listHotKeys": "200",
    "operations-cache-warmCache": "202",
    "operations-cache-purgeCache": "200",
    "operations-cache-listJobs": "200",
    "operations-cache-readJob": "200",
    "operations-cache-cancelJob": "202",
    "operations-operations-cacheStats": "200",
    "operations-operations-cacheHistory": "200",
    "operations-operations-live": "200",
    "operations-operations-ready": "200",
    "operations-operations-metrics": "200",
}


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


@pytest.mark.timeout(180)
def test_every_example_at_docs_works_when_pressed_and_no_other_host_is_asked(browser, replicas):
    [replica] = replicas(1, ASIDE_MIGRATE_ON_START="true", ASIDE_EXAMPLE_ENTITY="true")
    browser.get(f"{replica.url}/docs")
    WebDriverWait(browser, 15).until(presence_of_element_located((By.CSS_SELECTOR, ".opblock")))
    shown = {block.get_attribute("id") for block in browser.find_elements(By.CSS_SELECTOR, ".opblock")}
    assert shown == set(PRESSED_WELL)
    assert {operation: press(browser, operation) for operation in PRESSED_WELL} == PRESSED_WELL
    assert hosts_asked(browser) == {f"127.0.0.1:{replica.port}"}


def test_redoc_shows_every_operation_and_asks_no_other_host(browser, replicas):
    [replica] = replicas()
    browser.get(f"{replica.url}/redoc")
    WebDriverWait(browser, 20).until(presence_of_element_located((By.CSS_SELECTOR, "[data-section-id] h2")))
    assert "/v1/entities/" in browser.find_element(By.TAG_NAME, "body").text
    assert hosts_asked(browser) == {f"127.0.0.1:{replica.port}"}
