"""The dashboard, as people look at it: over real servers, which are taken away and brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from service.embedded import Valkey, private_valkey
from tests.browser.conftest import complaints, hosts_asked, started_browser
from tests.support.service_process import ServiceProcess

JP = "/v1/entities/country/JP"


@dataclass(frozen=True, slots=True)
class Page:
    """An open dashboard, and what is behind it."""

    browser: webdriver.Chrome
    replica: ServiceProcess
    valkey: Valkey

    def ask(self, script: str) -> Any:
        return self.browser.execute_script(f"return {script}")

    def text(self, selector: str) -> str:
        return self.browser.find_element(By.CSS_SELECTOR, selector).text

    def press(self, selector: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, selector).click()

    def write(self, selector: str, text: str) -> None:
        """Into an empty field; a line's end sends the form."""
        field = self.browser.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(text)

    def job(self) -> str:
        """The newest of the jobs."""
        return self.text("#jobs tbody tr")

    def until(self, is_so: Callable[[], object], *, within_seconds: float = 20) -> Any:
        wait = WebDriverWait(
            self.browser,
            within_seconds,
            poll_frequency=0.1,
            ignored_exceptions=[StaleElementReferenceException, NoSuchElementException],
        )
        return wait.until(lambda _: is_so())

    def until_said(self, words: str) -> None:
        self.until(lambda: words in self.text("#headline"))

    def tile(self, name: str) -> str:
        """The figure of a tile."""
        found: str = self.ask(
            f"[...document.querySelectorAll('.tile')].find(t => t.firstChild.textContent === '{name}')"
            ".children[1].textContent"
        )
        return found

    def opened(self, width: int = 1200, scheme: str = "light") -> Page:
        """Anew, as wide, and in light or dark, and ready: the service is well, and figures are there."""
        size = {"width": width, "height": 1600, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.browser.get(f"{self.replica.url}/dashboard")
        self.until_said("All is well")
        return self


@pytest.fixture(scope="module")
def page(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("dashboard")
    with private_valkey() as valkey, started_browser(folder) as browser:
        browser.implicitly_wait(0)
        environment = {"DATABASE_URL": module_database_url, "REDIS_URL": valkey.url, "ASIDE_BOUND_SECONDS": "0.5"}
        replica = ServiceProcess(folder / "log", environment, is_forked=True)
        try:
            yield Page(browser, replica.start(), valkey)
        finally:
            replica.kill()


def test_it_is_drawn_out_of_files_of_this_service_alone_and_nothing_complains(page: Page) -> None:
    page.opened()
    page.until(lambda: page.ask("document.querySelectorAll('.chart canvas').length") == 12)
    for part in ("#by-type td", "#policies td", "#hot", "#jobs"):
        page.until(lambda part=part: page.text(part))
    assert "not available" not in page.text("main")
    assert hosts_asked(page.browser) == {f"127.0.0.1:{page.replica.port}"}
    assert complaints(page.browser) == []


def test_figures_move_while_people_read_and_a_type_can_be_looked_at_alone(page: Page) -> None:
    page.opened()
    with httpx.Client(base_url=page.replica.url) as client:
        client.put(JP, json={"name": "Japan"}).raise_for_status()

        def reads_are_shown() -> bool:
            for _ in range(20):
                client.get(JP).raise_for_status()
            return page.tile("Reads") not in {"0/s", "–"} and page.tile("Request, p99").endswith("s")

        page.until(reads_are_shown)
    assert page.tile("Hit ratio").endswith(" %")
    page.until(lambda: "reads per second out of the cache" in page.text("#headline"))
    page.press("#entity-type option[value=parameter]")
    page.until(lambda: "of type parameter only" in page.text("#filtered"))
    page.until(lambda: page.tile("Reads") == "0/s")
    assert complaints(page.browser) == []


def test_a_key_is_explained_and_purged_after_a_question_that_says_how_many(page: Page) -> None:
    page.opened()
    with httpx.Client(base_url=page.replica.url) as client:
        client.put(JP, json={"name": "Japan"}).raise_for_status()
        client.get(JP).raise_for_status()
        page.write("#key", "country/JP\n")
        page.until(lambda: page.text("#explained strong") == "fresh")
        assert "cache:country:JP" in page.text("#explained")
        for answer, outcome in (("no", "Nothing was purged."), ("yes", "Purged: country/JP; 1 dropped.")):
            page.press("#purge-key")
            page.until(lambda: page.text("#confirm-count") == "1 cached entry would be dropped.")
            page.press(f"#confirm button[value={answer}]")
            page.until(lambda outcome=outcome: outcome in page.text("#explained"))
        assert "uri-miss" in client.get(JP).headers["cache-status"]
    page.write("#key", "no key at all\n")
    page.until(lambda: page.text("#explained").endswith("such as country/JP."))
    assert complaints(page.browser) == []


def test_jobs_are_begun_from_the_page_and_seen_to_end(page: Page) -> None:
    page.opened()
    with httpx.Client(base_url=page.replica.url) as client:
        for number in range(5):
            client.put(f"/v1/entities/city/c{number}", json=number).raise_for_status()
    page.write("#warm-form [name=entity_types]", "city\n")
    page.until(lambda: "5 installed" in page.job() and "done" in page.job())
    page.press("#purge-form option[value=prefix]")
    page.write("#purge-form [name=entity_type]", "city")
    page.write("#purge-form [name=prefix]", "c\n")
    page.until(lambda: page.text("#confirm-count") == "5 cached entries would be dropped.")
    page.press("#confirm-yes")
    page.until(lambda: page.text("#purge-result") == "Purged: city, ids that begin with c; 5 dropped.")
    page.until(lambda: "city, ids from c" in page.job() and "done" in page.job())
    assert complaints(page.browser) == []


def test_answers_are_put_together_and_a_time_without_any_is_a_gap(page: Page) -> None:
    page.opened()

    def answer(*times: int, **columns: list[float]) -> dict[str, Any]:
        return {"step_seconds": 2, "times": list(times), "busy": columns}

    known, *news = (
        answer(2, 4, 6, load=[1, 2, 3]),
        answer(6, 8, load=[4, 5], write=[6, 7]),  # one step is known already, one series is new
        answer(20, 22, write=[8, 9]),  # after a gap, in which a replica was started that loads nothing yet
        answer(910, write=[10]),  # what is more than a quarter of an hour old is left out
    )
    steps = [known]
    for each in news:
        path = "dashboard/assets/js/history.js"
        script = f"return import(new URL('{path}', document.baseURI)).then(m => m.merged(...arguments))"
        steps.append(page.browser.execute_script(script, steps[-1], each))
    assert steps[1] == answer(2, 4, 6, 8, load=[1, 2, 4, 5], write=[None, None, 6, 7])
    assert steps[2] == answer(
        2, 4, 6, 8, 10, 20, 22, load=[1, 2, 4, 5, None, None, None], write=[None, None, 6, 7, None, 8, 9]
    )  # fmt: skip
    assert steps[3] == answer(20, 22, 24, 910, load=[None] * 4, write=[8, 9, None, 10])


def test_an_outage_of_redis_is_told_in_words_and_so_is_its_end(page: Page) -> None:
    page.opened()
    page.valkey.kill()
    page.until_said("Redis unreachable; serving from PostgreSQL")
    assert page.browser.title.startswith("✕ Aside: Cache off")
    page.until(lambda: page.tile("Redis memory") == "– (bad)")
    page.valkey.start()
    page.until_said("All is well")
    assert complaints(page.browser) == []


def test_a_service_that_is_away_is_said_to_be_and_found_again(page: Page) -> None:
    page.opened()
    page.replica.kill()
    page.until_said("Disconnected since")
    assert page.ask("document.body.classList.contains('old')")
    page.replica.start()
    page.until_said("All is well")
    assert not page.ask("document.body.classList.contains('old')")
    assert all("ERR_CONNECTION" in complaint or "ERR_EMPTY" in complaint for complaint in complaints(page.browser))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen_in_light_and_dark(page: Page, scheme: str) -> None:
    page.opened(width=390, scheme=scheme)
    page.until(lambda: page.ask("document.querySelectorAll('.chart canvas').length") == 12)
    assert page.ask("document.documentElement.scrollWidth") <= 390
    assert (
        max(page.ask("[...document.querySelectorAll('.chart canvas')].map(c => c.getBoundingClientRect().right)"))
        <= 390
    )
    ground, text = (
        sum(page.ask(f"getComputedStyle(document.body).{each}.match(/\\d+/g).map(Number)"))
        for each in ("backgroundColor", "color")
    )
    assert (ground > text) is (scheme == "light")
    assert complaints(page.browser) == []


def test_the_reader_may_choose_a_theme_and_it_is_kept(page: Page) -> None:
    page.opened()
    page.press("#theme")
    page.press("#theme")
    assert page.text("#theme") == "Theme: dark"
    assert page.ask("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.opened()
    assert page.text("#theme") == "Theme: dark"
    page.press("#theme")
    assert page.ask("getComputedStyle(document.documentElement).colorScheme") == "light dark"
