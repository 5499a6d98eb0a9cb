"""The short form of `make alerts`: real failures, their alerts firing and ending; then every query is asked."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import pytest

from tests.alerts.cycle import SHORT, Seen, opened, run
from tests.alerts.panels import panel_queries
from tests.alerts.prometheus import Prometheus
from tests.alerts.rules import rules_as_written
from tests.support.databases import DatabaseMint
from tests.support.figures import show


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen, and, by what they are for, the queries that found nothing."""

    seen: list[Seen]
    without_data: list[tuple[str, str]]


@pytest.fixture(scope="module")
def outcome(database_mint: DatabaseMint) -> Outcome:
    return asyncio.run(cycle(database_mint))


async def cycle(mint: DatabaseMint) -> Outcome:
    rules = await rules_as_written()
    queries = [(rule.name, rule.query) for rule in rules if not rule.is_alert]
    # Of what an alert compares, there were data at some time: now there may be nothing to tell of.
    queries += [
        (rule.name, f"max_over_time({series}[5m])") for rule in rules if rule.is_alert for series in rule.selectors
    ]
    queries += panel_queries("aside-redis")
    async with opened(SHORT, mint, factor=60) as stage:
        seen = await run(stage, SHORT, calm_seconds=2)
        return Outcome(seen, [each for each in queries if not await has_data(stage.server, each[1])])


async def has_data(server: Prometheus, query: str) -> bool:
    return any(not math.isnan(float(sample["value"][1])) for sample in await server.query(query))


def test_alerts_fire_while_there_is_a_failure_and_end_with_it(outcome: Outcome) -> None:
    for each in outcome.seen:
        show(f"{each.failure}: {each.alert} fired after {each.fired_after:.1f} s, ended {each.ended_after:.1f} s later")
    assert {each.alert for each in outcome.seen} == {alert for failure in SHORT for alert in failure.alerts}


def test_what_an_alert_says_names_who_and_what(outcome: Outcome) -> None:
    for each in outcome.seen:
        assert each.job in each.annotations["summary"]
        assert not any("<" in text or "%!" in text for text in each.annotations.values()), each.annotations


def test_every_query_of_the_rules_and_of_the_dashboards_finds_data(outcome: Outcome) -> None:
    assert outcome.without_data == []
