"""Valkey dies, or stands still, under reads and writes: answers go on, none is wrong, and it is used again."""

from __future__ import annotations

from collections import Counter

import pytest

from service.embedded import Valkey
from tests.support.checker import violations
from tests.support.figures import show
from tests.support.load import Operation, Traffic, quantiles, reads, unanswered, writes
from tests.support.scraping import scrape
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually, lasting

KEYS = [f"k{number}" for number in range(12)]
BOUND_SECONDS = 1.0
WAIT_SECONDS = 0.3
MACHINE_SECONDS = 0.4
"""How much later than asked this machine may run anything: the tests are not alone on it."""
TICK_SECONDS = 0.06
"""How much later than asked the service's own loop may look at its clock."""


def report(what: str, history: list[Operation]) -> None:
    show(f"\n{what}: {Counter(operation.outcome for operation in reads(history))}")
    show(f"reads {quantiles([operation.seconds for operation in reads(history)])}")
    show(f"of that for Redis {quantiles([operation.cache_seconds for operation in reads(history)])}")
    show(f"writes {quantiles([operation.seconds for operation in writes(history)])}")


async def hits(traffic: Traffic) -> bool:
    return (await traffic.read(KEYS[0])).outcome == "hit"


@pytest.mark.parametrize(("how", "away_for_seconds"), [("killed", 1.0), ("paused", 0.5), ("paused", 3.0)])
async def test_reads_and_writes_go_on_while_valkey_is_away(
    pair: list[ServiceProcess], pair_valkey: Valkey, how: str, away_for_seconds: float
) -> None:
    urls = [replica.url for replica in pair]
    async with Traffic(urls, clients=2) as traffic:
        await traffic.until_cached()
        for key in KEYS:
            await traffic.write(key)
        before = await scrape(urls)
        async with traffic.hammering(KEYS, readers=10, writers=2, pause_seconds=0.02):
            await lasting(0.5)
            pair_valkey.kill() if how == "killed" else pair_valkey.pause()
            await lasting(away_for_seconds)
            pair_valkey.start() if how == "killed" else pair_valkey.resume()
            await eventually(lambda: hits(traffic), within_seconds=3.0 + MACHINE_SECONDS)
            await lasting(0.5)
        added = (await scrape(urls)).since(before)

    answers = reads(traffic.history)
    report(f"{how} for {away_for_seconds} s", traffic.history)
    assert violations(traffic.history) == []
    assert unanswered(traffic.history) == []
    outcomes = Counter(answer.outcome for answer in answers)
    assert outcomes["off"] > 0
    assert added.total_of("aside_cache_requests_total", outcome="off") == outcomes["off"]
    assert added.total_of("aside_cache_requests_total", outcome="miss") == outcomes["miss"]
    assert added.total_of("aside_cache_errors_total") > 0


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_no_read_waits_longer_than_300_ms_for_a_valkey_that_is_gone(
    pair: list[ServiceProcess], pair_valkey: Valkey, how: str
) -> None:
    async with Traffic([replica.url for replica in pair]) as traffic:
        await traffic.until_cached()
        for key in KEYS:
            await traffic.write(key)
        await lasting(BOUND_SECONDS + 0.2)  # what has just been written may be waited for
        for key in KEYS[::2]:
            await traffic.read(key)  # a half of them is in the cache
        traffic.history.clear()
        async with traffic.hammering(KEYS, readers=12, pause_seconds=0.02):
            await lasting(0.3)
            pair_valkey.kill() if how == "killed" else pair_valkey.pause()
            await lasting(BOUND_SECONDS + 0.5)

    answers = traffic.history
    report(f"reads only, {how}", answers)
    assert unanswered(answers) == []
    assert Counter(answer.outcome for answer in answers)["off"] > 50
    assert max(answer.cache_seconds for answer in answers) <= WAIT_SECONDS + TICK_SECONDS
    assert [answer for answer in answers if answer.seconds > WAIT_SECONDS + MACHINE_SECONDS] == []
