"""How long single commands held Valkey up, by its own clock."""

from __future__ import annotations

from redis import Redis

_ALL = 10_000


class SlowLog:
    """Knows what took longer than the server's `slowlog-log-slower-than`; shorter ones count as 0."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(redis_url)

    def slowest_ms(self) -> float:
        """Since it was last asked."""
        found = self._redis.slowlog_get(_ALL)
        self._redis.slowlog_reset()
        return max((entry["duration"] for entry in found), default=0) / 1000

    def close(self) -> None:
        self._redis.close()
