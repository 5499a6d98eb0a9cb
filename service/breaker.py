"""When to stop asking something that does not answer. Pure: the time is an argument, the probe is the owner's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Breaker:
    """Closed: calls pass. Open: none does, until a probe made by the owner, never by a request, succeeds.

    ``threshold`` is the number of failures in a row that opens it. ``since`` is when it opened, in the owner's
    seconds; None while closed.
    """

    threshold: int = 2
    failures: int = 0
    since: float | None = None

    @property
    def is_open(self) -> bool:
        return self.since is not None

    def succeeded(self) -> bool:
        """Note a success; True where this one closed the breaker."""
        was_open = self.since is not None
        self.failures = 0
        self.since = None
        return was_open

    def failed(self, now: float, *, decisive: bool = False) -> bool:
        """Note a failure; True where this one opened the breaker. A ``decisive`` one needs no second to be believed."""
        self.failures = self.threshold if decisive else self.failures + 1
        if self.since is not None or self.failures < self.threshold:
            return False
        self.since = now
        return True
