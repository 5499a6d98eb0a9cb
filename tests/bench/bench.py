"""What the cells share: filled caches, loads by round, and a cache that is emptied or taken away."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tests.bench.asking import WrongAnswerError, ask_all
from tests.bench.contestants import ASIDE, CEILING, PLAIN, PLAIN_NO_RESET, WEBDIS
from tests.bench.cores import cpu_seconds
from tests.bench.figures import Found, Load
from tests.bench.plan import BODY_BYTES, Plan
from tests.bench.rows import copy_to_valkey
from tests.bench.stage import Stage, Target
from tests.bench.wrk import Shape, WrkError, run_wrk
from tests.support.scraping import Scrape, scrape
from tests.support.valkey_commands import command

HITS = ("hit", "negative_hit")
_NOTHING_TO_FILL = frozenset((CEILING, PLAIN, PLAIN_NO_RESET))
_BACK_SECONDS = 15.0


class Bench:
    """``passed`` is told the seconds of each piece of work that is done, as they were planned."""

    def __init__(self, plan: Plan, stage: Stage, *, passed: Callable[[float], None] = lambda _: None) -> None:
        self.plan = plan
        self.stage = stage
        self.passed = passed
        self.found: dict[str, Found] = {}
        """Of the cells that are done."""
        self._unfit: dict[str, str] = {}
        """Who failed since the caches were last filled or emptied, and why."""

    def present(self, names: Iterable[str]) -> list[Target]:
        return [self.stage.targets[n] for n in names if n in self.stage.targets and n not in self._unfit]

    def _give_up(self, name: str, error: BaseException) -> None:
        """The others go on without this one. Without Aside there is nothing to compare."""
        if name == ASIDE:
            raise error
        self._unfit[name] = f"FAILED. {said(error)}"

    def compare(
        self, names: Iterable[str], shape_of: Callable[[Target, int], Shape],
        *, measure: Callable[[Target, Shape], Load] | None = None,
    ) -> Found:  # fmt: skip
        """One load of each target in each round; who begins changes from round to round."""
        found = Found()
        for number in range(self.plan.rounds):
            targets = self.present(names)
            first = number % max(1, len(targets))
            for target in (*targets[first:], *targets[:first]):
                try:
                    load = (measure or self.load)(target, shape_of(target, number))
                except WrkError as error:
                    self._give_up(target.name, error)
                else:
                    found.loads.setdefault(target.name, []).append(load)
                self.passed(self.plan.load_seconds)
        absent = {**self.stage.missing, **self._unfit}
        found.left_out = {name: why for name, why in absent.items() if name in set(names)}
        return found

    def load(self, target: Target, shape: Shape, *, warmed_up_with: Shape | None = None) -> Load:
        """A warm-up, then the load, with what the server used; of Aside with the share of hits by its own count."""
        folder, plan = self.stage.folder, self.plan
        run_wrk(target.url, warmed_up_with or shape, seconds=plan.warmup_seconds, folder=folder)
        before = self.scraped(target.url, authorization=target.authorization) if target.counts else None
        used = cpu_seconds(target.pid)
        load = run_wrk(target.url, shape, seconds=plan.seconds, folder=folder)
        cpu = None if used is None else (cpu_seconds(target.pid) or used) - used
        after = self.scraped(target.url, authorization=target.authorization) if target.counts else None
        hits = None if before is None or after is None else share_of_hits(after.since(before))
        return load.seen_from_inside(hits=hits, cpu_seconds=cpu)

    def scraped(self, *urls: str, authorization: str = "") -> Scrape:
        return asyncio.run(scrape(urls, headers={"Authorization": authorization} if authorization else {}))

    def fill(self, names: Iterable[str], entity_type: str, count: int) -> None:
        """All keys cached by everybody who caches, and every answer looked at. Who fails is left out from then on."""
        self._unfit.clear()
        for target in self.present(names):
            if target.name == WEBDIS:
                copy_to_valkey(self.stage.postgres.url, self.stage.valkey.url, entity_type, count)
            asked = 1 if target.name in _NOTHING_TO_FILL else count
            keys, head = iter(range(1, asked + 1)), target.head.format(entity_type)
            try:
                ask_all(target.url, head, keys, tail=target.tail, body_bytes=BODY_BYTES.get(entity_type, 250))
            except* (WrongAnswerError, OSError, EOFError, TimeoutError, ValueError) as failures:
                self._give_up(target.name, failures)

    def empty_cache(self) -> None:
        """Nothing is cached by anybody, and Aside trusts its cache again."""
        self._unfit.clear()
        command(self.stage.valkey.url, "FLUSHALL", timeout_seconds=60)
        self._until_aside_hits()

    @contextmanager
    def no_valkey(self) -> Iterator[None]:
        """Inside, it is killed. Begins when those who waited for it wait no more."""
        self._unfit.clear()
        self.stage.valkey.kill()
        try:
            time.sleep(self.plan.bound_seconds + 0.5)
            yield
        finally:
            self.stage.valkey.start()
            self._until_aside_hits()

    def _until_aside_hits(self) -> None:
        if ASIDE not in self.stage.targets:
            return
        target = self.stage.targets[ASIDE]
        port, deadline = int(target.url.rpartition(":")[2]), time.monotonic() + _BACK_SECONDS
        while "hit" not in _cache_status(port):
            assert time.monotonic() < deadline, "Aside does not use its cache again"
            time.sleep(0.05)


def said(error: BaseException) -> str:
    """In one line; of a group, what its first member says."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    lines = str(error).strip().splitlines() or ["nothing"]
    return f"{type(error).__name__}: {lines[-1]}"


def _cache_status(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v1/entities/item/1")
        return connection.getresponse().headers.get("Cache-Status", "")
    finally:
        connection.close()


def share_of_hits(counted: Scrape) -> float | None:
    name = "aside_cache_requests_total"
    total = counted.total_of(name)
    hits = sum(counted.total_of(name, outcome=outcome) for outcome in HITS)
    return hits / total if total else None
