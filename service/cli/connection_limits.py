"""What one connection may cost: bytes before a request is understood, and time in each phase. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """What a connection is waiting for."""

    IDLE = "idle"
    """the first byte of a request"""
    HEAD = "head"
    """the rest of a request's head"""
    BODY = "body"
    """the rest of its body"""
    WORK = "work"
    """us"""
    UNREAD = "unread"
    """a client that reads what was written"""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """``connections`` of one process; ``body_bytes`` is the longest body that any route takes."""

    connections: int = 10_000
    head_bytes: int = 16_384
    header_count: int = 100
    body_bytes: int = 1024 * 1024
    idle_seconds: float = 5.0
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    unread_seconds: float = 30.0

    @property
    def message_bytes(self) -> int:
        """All that one request may send, whatever becomes of it. A byte in a chunk of its own is six bytes."""
        return self.head_bytes + 8 * self.body_bytes

    @property
    def shortest_seconds(self) -> float:
        """How often a connection is looked at."""
        return min(self.idle_seconds, self.head_seconds, self.body_seconds, self.unread_seconds)

    def seconds_in(self, phase: Phase) -> float | None:
        """How long it may last. None: what a request may wait for inside is bounded where it waits."""
        match phase:
            case Phase.IDLE:
                return self.idle_seconds
            case Phase.HEAD:
                return self.head_seconds
            case Phase.BODY:
                return self.body_seconds
            case Phase.UNREAD:
                return self.unread_seconds
            case Phase.WORK:
                return None


def is_long_head(url: bytes, headers: list[tuple[bytes, bytes]], limits: ConnectionLimits) -> bool:
    """Whether a head that is complete is longer than allowed: the target, names and values, `: ` and line ends."""
    if len(headers) > limits.header_count:
        return True
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers) > limits.head_bytes
