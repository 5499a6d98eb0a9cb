"""Hosts whose clocks differ: what runs inside `host_clock(…)`, and every task begun there, lives on another clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import pytest

_offset_seconds: ContextVar[float] = ContextVar("offset_seconds", default=0.0)


class _HostTime(ModuleType):
    """The module `time`, as the service sees it on the host of the current context."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def time(self) -> float:
        return time.time() + _offset_seconds.get()

    def monotonic(self) -> float:
        return time.monotonic() + _offset_seconds.get()


def install_host_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every module of the service that reads a clock read that of its host."""
    host_time = _HostTime("time")
    for name, module in list(sys.modules.items()):
        if name.startswith("service.") and getattr(module, "time", None) is time:
            monkeypatch.setattr(module, "time", host_time)


@contextmanager
def host_clock(offset_seconds: float) -> Iterator[None]:
    token = _offset_seconds.set(offset_seconds)
    try:
        yield
    finally:
        _offset_seconds.reset(token)
