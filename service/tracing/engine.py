"""Spans around reads and writes of the engine: how each was answered, and how long it waited for another's lease."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from opentelemetry.trace import Tracer

from service.cache.engine import Engine, Intent
from service.cache.entry import NO_WISH, Answer, Glance, Settled, Wish
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.domain.row import VersionedRow
from service.errors import NotCachedError, UnavailableError
from service.tracing.spans import KEY, KEYS, OUTCOME, Attributes, spanned


class TracedEngine(Engine):
    """See :class:`service.cache.engine.Engine`. A glance has no span: whoever traces does not read in that way."""

    def __init__(self, *args: Any, tracer: Tracer, **named: Any) -> None:
        super().__init__(*args, **named)
        self._tracer = tracer

    async def get(self, name: str, policy: Policy, wish: Wish = NO_WISH, glance: Glance | None = None) -> Answer:
        work = super().get(name, policy, wish, glance)
        return await spanned(self._tracer, "read", {KEY: name}, work, _outcome)

    async def get_many(
        self, names: Sequence[str], policy: Policy, wish: Wish = NO_WISH
    ) -> list[Answer | NotCachedError | UnavailableError]:
        work = super().get_many(names, policy, wish)
        return await spanned(self._tracer, "read many", {KEYS: len(names)}, work, _outcome_of_many)

    async def intend(self, name: str, policy: Policy) -> Intent:
        asked: Attributes = {KEY: name, "aside.strategy": policy.strategy.value}
        return await spanned(self._tracer, "intend", asked, super().intend(name, policy), lambda _: {})

    async def settle(
        self, name: str, policy: Policy, row: VersionedRow, intent: Intent, *, since: float, cost_ms: float, wait: bool
    ) -> Settled:
        work = super().settle(name, policy, row, intent, since=since, cost_ms=cost_ms, wait=wait)
        asked: Attributes = {KEY: name, "aside.version": row.version}
        return await spanned(self._tracer, "settle", asked, work, lambda settled: {OUTCOME: settled.value})


def _outcome(answer: Answer) -> Attributes:
    """As `Cache-Status` and the metrics call it."""
    return {
        OUTCOME: answer.outcome.value,
        "aside.detail": answer.detail.value,
        "aside.version": answer.version,
        "aside.stored": answer.stored,
    }


def _outcome_of_many(answers: Sequence[Answer | Exception]) -> Attributes:
    outcomes = Counter(answer.outcome.value if isinstance(answer, Answer) else "failed" for answer in answers)
    return {f"{OUTCOME}.{outcome}": count for outcome, count in outcomes.items()}


class TracedRecorder:
    """A recorder that makes a span of each wait for a lease, and leaves everything else to the one beneath it."""

    def __init__(self, recorder: Recorder, *, tracer: Tracer) -> None:
        self._recorder = recorder
        self._tracer = tracer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recorder, name)

    def lease_wait(self, seconds: float) -> None:
        """It is told afterwards, in the task that has waited."""
        now = time.time_ns()
        self._tracer.start_span("lease wait", start_time=now - round(seconds * 1e9)).end(now)
        self._recorder.lease_wait(seconds)
