"""An example of `GET /v1/cache/history`, made by the code that makes the answers."""

from __future__ import annotations

from typing import Any

from service.api.cache_history_report import history_of
from service.api.cache_stats_example import counted_totals
from service.metrics.totals import Totals
from service.metrics.windows import Windows

_GAUGES = (
    "aside_heartbeat_age_seconds",
    "aside_relay_lag_seconds",
    "aside_db_loads_in_flight",
    "aside_db_connections_busy",
    "aside_redis_up",
    "aside_redis_memory_used_bytes",
)


def example() -> dict[str, Any]:
    """Three steps of a steady load. Nothing in it is null: FastAPI would leave that out."""
    windows, one_step = Windows(longest_seconds=900, step_seconds=1), counted_totals()
    one_step["aside_heartbeat_age_seconds", frozenset()] = 0.12
    for step in range(4):
        totals = Totals({key: value * (1 if key[0] in _GAUGES else step) for key, value in one_step.items()})
        windows.add(2.0 * step, totals, at=1_795_200_000.0 + 2 * step)
    return history_of(windows.lately(900, 6.0), step_seconds=2.0).model_dump(exclude_none=True)
