"""What `aside import` does: reads a file, writes it chunk by chunk into PostgreSQL, and can be interrupted anywhere."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import typer
import uvloop

from service.cli.importing_display import Display
from service.cli.importing_source import Source, standard_input
from service.cli.refusals import FAILED
from service.db.importing import ImportSession
from service.db.notes import note_of
from service.db.pool import connect, translated
from service.domain.interchange import Conflict, Format, Rules
from service.domain.parameter import Authorship
from service.errors import AsideError, InvalidInputError
from service.schemas import SchemaChecker
from service.services.importing import BadRecordsError, Importing, Refused
from service.services.pacing import Pace
from service.settings import Settings

HAS_REJECTS, INTERRUPTED = 3, 130
_DONE = (0, HAS_REJECTS)
_NAMED = 20
"""Of the bad records of the chunk at which an import stops."""
STANDARD = Path("-")
_STATEMENT_SECONDS = 60.0
_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Of one import. ``rejects`` None: it stops at the first chunk with a bad record."""

    file: Path
    kind: Format
    entity_type: str | None
    chunk: int
    on_conflict: Conflict
    rejects: Path | None
    resume: bool
    rows_per_second: float | None
    actor: str | None

    @property
    def source(self) -> str | None:
        """Under which name its progress is kept; None for the standard input, which cannot be read again."""
        return None if self.file == STANDARD else str(self.file.resolve())


def run_import(settings: Settings, options: Options, display: Display) -> None:
    """Raises typer.Exit where it does not end well, AsideError, OSError."""
    exit_code = uvloop.run(_import(settings, options, display))
    if exit_code:
        raise typer.Exit(exit_code)


async def _import(settings: Settings, options: Options, display: Display) -> int:
    with _opened(options.file) as file:
        source = Source(file, options.kind)
        async with _session(settings, options) as session, _checker(settings) as checker:
            begun_at = await _begin(session, source, options)
            with _rejects(options, source, begun_at) as rejects:
                importing = Importing(session, _rules(settings, options), checker, keep=rejects)
                exit_code = await _take_all(importing, source, options, display)
            if exit_code in _DONE and options.source is not None:
                await session.forget(options.source)
            return exit_code


async def _take_all(importing: Importing, source: Source, options: Options, display: Display) -> int:
    """The exit code."""
    rate = options.rows_per_second
    pace = Pace(items_per_second=rate, patience_seconds=0)
    size = options.chunk if rate is None else max(1, min(options.chunk, round(rate / 10)))
    written = source.place
    finished = False
    try:
        with _stopped_by_signals(pace), display.showing(_size_of(options)):
            for items in source.chunks(size, _CHUNK_BYTES):
                if not await pace.turn(len(items)):
                    break
                place = source.place
                display.note(await importing.take(items, source=options.source, progress=place), at_byte=place.bytes)
                written = place
            else:
                finished = True
    except BadRecordsError as error:
        display.name(error.refused, at_most=_NAMED)
        _say_where(f"nothing of this chunk was written; up to line {written.lines} all was", options)
        return FAILED
    except AsideError:
        _say_where(f"up to line {written.lines} all was written", options)
        raise
    finally:
        display.tell(finished=finished, records=written.records, line=written.lines)
    if not finished:
        _say_where(f"interrupted after line {written.lines}", options)
        return INTERRUPTED
    return HAS_REJECTS if display.has_refused else 0


def _say_where(text: str, options: Options) -> None:
    how = "" if options.source is None else "; the same command with --resume goes on from there"
    typer.echo(f"aside: {text}{how}", err=True)


async def _begin(session: ImportSession, source: Source, options: Options) -> int:
    """Go to the place that was reached, or forget that there was one; returns the bytes of rejects up to there."""
    if options.source is None:
        return 0
    progress = await session.progress(options.source)
    if progress is not None and options.resume:
        source.go_on_from(progress)
        typer.echo(f"aside: going on after line {progress.lines}", err=True)
        return progress.rejects_bytes
    await session.forget(options.source)
    return 0


class Rejects:
    """A file of the records that were refused, as they stood in theirs, so that they can be mended and imported."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __call__(self, refused: Sequence[Refused]) -> int:
        """Returns how long the file is, once the disk has it."""
        for each in refused:
            self._file.write(each.item.raw if each.item.raw.endswith(b"\n") else each.item.raw + b"\n")
        if refused:
            self._file.flush()
            os.fsync(self._file.fileno())
        return self._file.tell()


@contextmanager
def _rejects(options: Options, source: Source, begun_at: int) -> Iterator[Rejects | None]:
    """What a killed import had kept beyond the place that it reached is cut off: it comes again."""
    if options.rejects is None:
        yield None
        return
    with options.rejects.open("r+b" if begun_at else "wb") as file:
        file.truncate(begun_at)
        file.seek(begun_at)
        if not begun_at:
            file.write(source.header)
        yield Rejects(file)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with standard_input() if path == STANDARD else path.open("rb") as file:
        yield file


@contextmanager
def _stopped_by_signals(pace: Pace) -> Iterator[None]:
    """Inside, SIGINT and SIGTERM stop the pace: the chunk under way is written, and no other is begun."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, pace.stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _session(settings: Settings, options: Options) -> AsyncIterator[ImportSession]:
    with translated():
        connection = await connect(
            settings.database_url.get_secret_value(),
            connect_timeout=settings.database.connect_timeout_seconds,
            statement_timeout=_STATEMENT_SECONDS,
        )
    try:
        note = note_of(Authorship(actor=options.actor or "aside import", reason=f"import of {options.file.name}"))
        yield ImportSession(connection, on_conflict=options.on_conflict, note=note)
    finally:
        await connection.close(timeout=_STATEMENT_SECONDS)


def _rules(settings: Settings, options: Options) -> Rules:
    return Rules(
        entity_type=options.entity_type,
        body_bytes=settings.limits.body_bytes,
        json_depth=settings.limits.json_depth,
        ttl_seconds=settings.limits.ttl_seconds,
    )


@asynccontextmanager
async def _checker(settings: Settings) -> AsyncIterator[SchemaChecker]:
    checker = SchemaChecker(
        limit_seconds=settings.parameters.schema_check_seconds,
        wait_seconds=settings.database.statement_timeout_seconds,
    )
    try:
        yield checker
    finally:
        await checker.close()


def _size_of(options: Options) -> int | None:
    """In bytes; None where nobody knows."""
    return None if options.source is None else options.file.stat().st_size


def check(options: Options) -> None:
    """Raises InvalidInputError where the options do not fit."""
    if options.source is None and options.resume:
        raise InvalidInputError("the standard input cannot be gone on with: give a file with --resume")
    if options.file == STANDARD and sys.stdin.isatty():
        raise InvalidInputError("nothing comes on the standard input")
