"""How much is warmed and purged, how fast, and how long hits are timed beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from service.settings import WarmingSettings

PARTS = 100
"""Into so many parts, which have prefixes of their own, all rows are divided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A *window* is one stretch of time; behind each busy one, hits are timed for as long in calm."""

    rows: int = 1_000_000
    """Of the type that is warmed and purged; its ids begin with the two digits of their part."""
    hot_keys: int = 1_000
    """Of another type, cached from the beginning: what hits are made of."""
    hits_per_second: float = 800.0
    window_seconds: float = 5.0
    windows: int = 12
    """Of each way and speed of warming, except the job for all rows."""
    job_windows: int = 50
    """Of the job for all rows; then it goes on to its end without calm in between."""
    rate: float = WarmingSettings().rows_per_second
    """Rows per second: the default of the service."""
    rates: tuple[float, ...] = (4_000.0, 6_500.0, 10_000.0)
    """Others, by jobs."""
    purges: int = 3
    """Of all rows, by prefix; and as many of the type."""

    @property
    def part_rows(self) -> int:
        return self.rows // PARTS

    def parts_in_a_window(self, rate: float) -> int:
        return min(PARTS, max(1, round(rate * self.window_seconds / self.part_rows)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


QUICK = Plan(
    rows=10_000,
    hot_keys=100,
    hits_per_second=400.0,
    window_seconds=0.5,
    windows=2,
    job_windows=2,
    rates=(6_500.0,),
    purges=1,
)
"""Says whether all of it works, and little more."""
