"""What a storm has counted, and what it has found wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_KEPT = 50


@dataclass(slots=True)
class Findings:
    """``cancelled`` by the stage in which a request was hit; ``checked`` answers by kind of request.

    ``failed`` are honest errors (503 and the like), which disturbances bring about; they are no violations.
    """

    cancelled: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    disturbances: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    violation_count: int = 0
    leaks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def violated(self, what: str) -> None:
        self.violation_count += 1
        if len(self.violations) < _KEPT:
            self.violations.append(what)

    @property
    def is_clean(self) -> bool:
        return self.violation_count == 0 and not self.leaks

    @property
    def rate(self) -> float:
        """Cancelled requests each second."""
        return self.cancelled.total() / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "cancelled": self.cancelled.total(),
            "cancelled_by_stage": dict(self.cancelled.most_common()),
            "cancelled_per_second": self.rate,
            "checked": dict(self.checked),
            "failed": dict(self.failed),
            "disturbances": dict(self.disturbances),
            "violations": self.violation_count,
            "first_violations": self.violations,
            "leaks": self.leaks,
            "seconds": self.seconds,
        }
