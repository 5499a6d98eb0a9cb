"""What clients ask for: which keys, how often, with which words. Drawn from a seed, written out as bytes."""

from __future__ import annotations

import json
import random
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from tests.chaos.observation import Kind

HOT_KEYS = 200
COLD_KEYS = 2_500
ZIPF = 1.1
BATCH_KEYS = 80
POLICIES: Final = {
    "thing": {"strategy": "cache_aside", "ttl_seconds": 12, "negative_ttl_seconds": 6},
    "price": {"strategy": "write_through", "ttl_seconds": 6, "negative_ttl_seconds": 4},
    "note": {"strategy": "cache_aside", "ttl_seconds": 3, "negative_ttl_seconds": 3, "stale_if_error_seconds": 30},
    "deal": {"strategy": "write_through", "ttl_seconds": 20, "stale_if_error_seconds": 30},
    "parameter": {"ttl_seconds": 15},
}
TYPES = ("thing", "price", "note", "deal", "parameter")
_PADDING = "x" * 60


@dataclass(slots=True)
class Ask:
    """One request, and what must be remembered of it to judge its answer."""

    kind: Kind
    name: str
    """For the tally."""
    key: str
    request: bytes
    keys: list[str] | None = None
    """Of a batch-read."""
    expected: int = 0
    min_version: int = 0
    is_async: bool = False


class Mix:
    """``latest`` has the newest version that any client has been told, by key: for If-Match and Aside-Min-Version."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._serial = 0
        self._cold = 0
        self.hot = [key_of(number) for number in range(HOT_KEYS)]
        self.cold = [key_of(number) for number in range(HOT_KEYS, HOT_KEYS + COLD_KEYS)]
        self._parameters = [key for key in self.hot + self.cold if key.startswith("parameter:")]
        self._weights = list(accumulate(1 / (rank + 1) ** ZIPF for rank in range(HOT_KEYS)))
        self._gets = {key: _head("GET", path_of(key)) for key in self.hot + self.cold}
        self.latest: dict[str, int] = {}

    def next(self) -> Ask:
        draw = self._random.random()
        if draw < 0.02:
            return self._batch()
        if draw < 0.07:
            return self._write(draw)
        key = self._cold_key() if draw < 0.11 else self._hot_key()
        words, name, min_version = "", "GET", 0
        if draw > 0.98:
            words, name = "Cache-Control: no-cache\r\n", "GET no-cache"
        elif draw > 0.96 and key in self.latest:
            min_version = self.latest[key]
            words, name = f"Aside-Min-Version: {min_version}\r\n", "GET Aside-Min-Version"
        elif draw > 0.945 and key in self.latest:
            words, name = f'If-None-Match: "{self.latest[key]}"\r\n', "GET If-None-Match"
        return Ask(Kind.READ, name, key, self._gets[key] + words.encode() + b"\r\n", min_version=min_version)

    def document(self, key: str) -> tuple[str, bytes]:
        """A mark that no other write has, and a body that names its key and has it."""
        self._serial += 1
        mark = f"{key}#{self._serial}"
        if key.startswith("parameter:"):
            return mark, json.dumps({"type": "string", "value": mark}).encode()
        return mark, json.dumps({"key": key, "mark": mark, "padding": _PADDING}).encode()

    def put(self, key: str, words: str = "") -> bytes:
        _, body = self.document(key)
        head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{words}\r\n"
        return _head("PUT", path_of(key)) + head.encode() + body

    def _write(self, draw: float) -> Ask:
        key = self._cold_key() if self._random.random() < 0.1 else self._hot_key()
        expected = self.latest.get(key, 0) if 0.035 < draw < 0.065 else 0
        is_async = self._random.random() < 0.12
        words = f'If-Match: "{expected}"\r\n' if expected else ""
        words += "Prefer: respond-async\r\n" if is_async else ""
        suffix = (" If-Match" if expected else "") + (" respond-async" if is_async else "")
        if draw > 0.055:
            request = _head("DELETE", path_of(key)) + words.encode() + b"\r\n"
            return Ask(Kind.DELETE, "DELETE" + suffix, key, request, expected=expected, is_async=is_async)
        return Ask(Kind.WRITE, "PUT" + suffix, key, self.put(key, words), expected=expected, is_async=is_async)

    def _batch(self) -> Ask:
        keys = self._random.sample(self._parameters, BATCH_KEYS - 15)
        keys = list(dict.fromkeys([*self._parameters[:15], *keys]))
        body = json.dumps({"keys": [key.partition(":")[2] for key in keys]}).encode()
        head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        return Ask(Kind.READ, "batch-read", "", _head("POST", "/v1/parameters/batch-read") + head + body, keys=keys)

    def _hot_key(self) -> str:
        return self.hot[bisect(self._weights, self._random.random() * self._weights[-1])]

    def _cold_key(self) -> str:
        self._cold = (self._cold + 1) % COLD_KEYS
        return self.cold[self._cold]


def key_of(number: int) -> str:
    """`entity_type:id`; neighbours are of different types."""
    return f"{TYPES[number % len(TYPES)]}:k{number}"


def path_of(key: str) -> str:
    entity_type, _, entity_id = key.partition(":")
    return f"/v1/parameters/{entity_id}" if entity_type == "parameter" else f"/v1/entities/{entity_type}/{entity_id}"


def _head(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\n".encode()
