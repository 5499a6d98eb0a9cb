"""Lets a load balancer notice that a process is about to stop, before it stops."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def drained_on_sigterm(begin: Callable[[], None], *, drain_seconds: float) -> Iterator[None]:
    """Between SIGTERM and the server's own reaction to it, call ``begin`` and wait for ``drain_seconds``.

    A server shuts the app's lifespan down only when the last connection is gone: too late to turn the readiness probe.
    So this stands in front of the handler that the server installed before it started the app. That works under any
    server and in every worker; where there is no such handler, or no main thread, nothing is done. A second SIGTERM,
    and SIGINT, are not delayed; SIGINT calls ``begin`` too, where the server handles it.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    stop = signal.getsignal(signal.SIGTERM) if in_main_thread else None
    if not callable(stop):
        yield
        return
    loop = asyncio.get_running_loop()
    draining = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal draining
        if draining or drain_seconds <= 0:
            begin()
            stop(number, frame)
            return
        draining = True
        begin()
        # A signal's handler runs between any two instructions: the loop may be touched through this call only.
        loop.call_soon_threadsafe(lambda: loop.call_later(drain_seconds, stop, number, None))

    interrupt = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        begin()
        if callable(interrupt):
            interrupt(number, frame)

    is_handled = callable(interrupt) and interrupt is not signal.default_int_handler
    signal.signal(signal.SIGTERM, on_signal)
    if is_handled:
        signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, stop)
        if is_handled:
            signal.signal(signal.SIGINT, interrupt)
