"""How long single commands held Valkey up, by its own clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from redis import Redis

_ALL = 10_000


class Slowest(NamedTuple):
    """Milliseconds, and the command."""

    ms: float
    command: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Slowest:
        return cls(entry["duration"] / 1000, bytes(entry["command"]).split(maxsplit=1)[0].decode().upper())

    def __str__(self) -> str:
        return f"{self.ms:.1f} {self.command}".rstrip()


NOTHING = Slowest(0.0, "")


class SlowLog:
    """Knows what took longer than the server's `slowlog-log-slower-than`; shorter ones count as 0."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(redis_url)

    def slowest(self) -> Slowest:
        """Since it was last asked."""
        found = self._redis.slowlog_get(_ALL)
        self._redis.slowlog_reset()
        return max((Slowest.of(entry) for entry in found), default=NOTHING)

    def forget(self) -> None:
        """Without asking: to tell of thousands holds the server up."""
        self._redis.slowlog_reset()

    def close(self) -> None:
        self._redis.close()
