"""The clocks and the chance of the service, as it sees them while it is simulated."""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.loop import Loop


class HostTime:
    """The module `time` of the host whose process runs at this moment. Seconds."""

    loop: Loop

    def monotonic(self) -> float:
        return self.loop.simulator.now + self.loop.offset

    def perf_counter(self) -> float:
        return self.loop.simulator.now + self.loop.offset

    def time(self) -> float:
        return self.loop.simulator.now + self.loop.wall

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class HostRandom:
    """The module `random`: every draw comes from the simulation's seed."""

    def random(self) -> float:
        return HOST.loop.simulator.rng.random()

    def getrandbits(self, bits: int) -> int:
        return HOST.loop.simulator.rng.getrandbits(bits)


class HostLog:
    """What the service logs goes nowhere; what it calls an error is one of the simulation, too."""

    def debug(self, event: str, **_: Any) -> None: ...
    def info(self, event: str, **_: Any) -> None: ...
    def warning(self, event: str, **_: Any) -> None: ...

    def error(self, event: str, **_: Any) -> None:
        HOST.loop.simulator.complain(f"{HOST.loop.name} logs {event}")

    def exception(self, event: str, **_: Any) -> None:
        HOST.loop.simulator.complain(f"{HOST.loop.name} logs {event}: {sys.exc_info()[1]!r}")


HOST = HostTime()
CHANCE = HostRandom()
_LOG = HostLog()


@contextmanager
def simulated_hosts() -> Iterator[None]:
    """Every module of the service reads the simulated clocks, draws from the seed, and logs nothing."""
    replaced: list[tuple[Any, str, Any]] = []
    for name, module in list(sys.modules.items()):
        if not name.startswith("service."):
            continue
        for attribute, ours in (("time", HOST), ("random", CHANCE), ("log", _LOG)):
            real = getattr(module, attribute, None)
            if real is time or real is random or (attribute == "log" and real is not None):
                replaced.append((module, attribute, real))
                setattr(module, attribute, ours)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # coroutines of killed processes are never awaited
            yield
    finally:
        for module, attribute, real in replaced:
            setattr(module, attribute, real)
