"""Chooses ports for servers of our own."""

from __future__ import annotations

import random
import socket

LOWEST, HIGHEST = 20_000, 32_000
"""Below the range out of which the kernel serves outgoing connections: a server that is down keeps its port free
for its return. Low enough for a cluster bus, too, which listens 10,000 higher."""

_given: set[int] = set()
_chance = random.SystemRandom()


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on, and that was not given out before."""
    for _ in range(1_000):
        port = _chance.randrange(LOWEST, HIGHEST)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port between {LOWEST} and {HIGHEST}")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
