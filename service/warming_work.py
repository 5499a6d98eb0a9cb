"""What the process does that warms beside a replica: as it is ordered, and telling how far it is."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import signal
import sys
import time
from typing import Any

import uvloop

from service.cache.recorder import NullRecorder
from service.errors import UnavailableError
from service.logs import configure_logging
from service.parts import open_warming
from service.services.manners import APART
from service.services.warming import Place, Tally
from service.services.warming_apart import Order
from service.settings import Settings

_TELL_SECONDS = 0.2


class _Teller:
    """Says how far it is, a few times a second: each word costs the replica a turn of its loop."""

    def __init__(self) -> None:
        self._unsaid: tuple[Tally, Place | None] | None = None
        self._told_at = 0.0

    def note(self, tally: Tally, place: Place | None) -> None:
        self._unsaid = tally, place
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self.tell()

    def tell(self) -> None:
        """What has not been said yet."""
        if self._unsaid is not None:
            tally, place = self._unsaid
            _say(tally=tally, place=place, is_done=False)
            self._unsaid, self._told_at = None, time.monotonic()


async def work(order: Order, settings: Settings) -> None:
    """Until it is done, cannot go on, or stdin ends, or a signal comes."""
    teller, loop = _Teller(), asyncio.get_running_loop()
    task = asyncio.create_task(_warm(order, settings, teller))

    def end() -> None:
        """Once: another cancellation would end the page in flight, and a stdin at its end is told of at every turn."""
        loop.remove_reader(sys.stdin)
        if not task.cancelling():
            task.cancel()

    loop.add_reader(sys.stdin, end)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    await asyncio.wait([task])
    loop.remove_reader(sys.stdin)
    teller.tell()
    if task.cancelled():
        return
    try:
        _say(tally=task.result(), place=None, is_done=True)
    except UnavailableError as failure:
        _say(unavailable=str(failure))


async def _warm(order: Order, settings: Settings, teller: _Teller) -> Tally:
    async with open_warming(settings, NullRecorder(), manner=APART) as (warming, _):
        gc.freeze()
        return await warming.run(
            order.wanted, rows_per_second=order.rows_per_second, on_progress=teller.note, begin_at=order.begin_at
        )


def _say(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def do_as_ordered() -> None:
    """The order is on stdin."""
    order: Order = pickle.load(sys.stdin.buffer)  # noqa: S301, of the replica that started this process
    settings = order.settings
    assert isinstance(settings, Settings)
    configure_logging(settings.log_level, settings.log_format)
    uvloop.run(work(order, settings))
