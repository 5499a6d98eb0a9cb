"""When the requests of an open loop are meant to begin: evenly, whatever becomes of those before them. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The part of one of ``processes`` generators, which take turns. Moments are seconds since the start."""

    rate: float
    """Requests per second, of all processes together."""
    seconds: float
    process: int = 0
    processes: int = 1

    def intended(self, number: int) -> float:
        """When this process's request of this number, from 0 on, is meant to begin."""
        return (number * self.processes + self.process) / self.rate

    def due(self, number: int, elapsed: float) -> bool:
        """Whether it is time for it; never after the end."""
        moment = self.intended(number)
        return moment <= elapsed and moment < self.seconds
