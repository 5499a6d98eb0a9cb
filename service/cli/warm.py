"""What `aside warm` does: checks what is asked for, and warms until it is done or a signal comes."""

from __future__ import annotations

import asyncio
import gc
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
import uvloop

from service.cache.recorder import NullRecorder
from service.cli.warming_display import Display
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN, EntityKey
from service.errors import InvalidInputError
from service.parts import open_warming
from service.services.warming import Tally, Wanted
from service.settings import Settings

INTERRUPTED = 130

_TYPE = re.compile(ENTITY_TYPE_PATTERN, re.ASCII)
_ID = re.compile(ENTITY_ID_PATTERN, re.ASCII)


def wanted_of(
    types: Sequence[str], *, prefix: str, ids: Sequence[str], ids_file: Path | None, hot: int | None = None
) -> Wanted:
    """What the options ask for. Raises InvalidInputError, OSError."""
    for entity_type in types:
        if not _TYPE.fullmatch(entity_type):
            raise InvalidInputError(f"{entity_type!r} is no entity type")
    if hot is not None and (types or prefix or ids or ids_file is not None):
        raise InvalidInputError("hot keys are of all types: give --hot without the others")
    if prefix and not _ID.fullmatch(prefix):
        raise InvalidInputError(f"no id begins with {prefix!r}")
    if not ids and ids_file is None:
        return Wanted(entity_types=tuple(types), prefix=prefix)
    if len(types) != 1 or prefix:
        raise InvalidInputError("ids belong to one type: give them with one --type, and without --prefix")
    return Wanted(keys=tuple(EntityKey(types[0], each) for each in _ids_of(ids, ids_file)))


def _ids_of(ids: Sequence[str], ids_file: Path | None) -> Iterator[str]:
    """Each of them, checked: separated by commas in an option, by white space in a file."""
    found = [each for some in ids for each in some.split(",")]
    if ids_file is not None:
        found += (sys.stdin.read() if str(ids_file) == "-" else ids_file.read_text(errors="replace")).split()
    for each in dict.fromkeys(found):
        if not _ID.fullmatch(each):
            raise InvalidInputError(f"{each!r} is no id")
        yield each


def run_warm(
    settings: Settings, wanted: Wanted, *, hot: int | None, rows_per_second: float | None, display: Display
) -> None:
    """Warm what is wanted, or so many of the ``hot`` keys, and show it.

    A signal ends it after the pages in flight. Raises typer.Exit, AsideError.
    """
    if uvloop.run(_warm(settings, wanted, hot, rows_per_second, display)):
        raise typer.Exit(INTERRUPTED)


async def _warm(
    settings: Settings, wanted: Wanted, hot: int | None, rows_per_second: float | None, display: Display
) -> bool:
    """True where a signal has ended it."""
    async with open_warming(settings, NullRecorder()) as (warming, hot_keys):
        await warming.check()
        if hot is not None:
            wanted = Wanted(keys=tuple(each.key for each in await hot_keys.hottest(hot, but="")))
        about = await warming.about_how_many(wanted)
        gc.freeze()  # to go through all that was imported, again and again, would stop it for tens of milliseconds
        with display.showing(about):
            run = warming.run(wanted, rows_per_second=rows_per_second, on_progress=display.note)
            with _cancelled_by_signals(task := asyncio.ensure_future(run)) as signals:
                await asyncio.wait([task])
            if signals and task.cancelled():
                return True
            display.note(task.result())
            return False


@contextmanager
def _cancelled_by_signals(task: asyncio.Future[Tally]) -> Iterator[list[signal.Signals]]:
    """Inside, SIGINT and SIGTERM cancel the task, which then ends in order; those that came are in the list."""
    came: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        came.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield came
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
