"""What `aside export` does: writes the entities of a type to a file, and goes on with one that was not finished."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from service.db.exporting import ExportSession
from service.db.pool import connect, translated
from service.domain.entity import ENTITY_TYPE_PATTERN, PREFIX_PATTERN
from service.domain.exact_json import parse_exact
from service.domain.interchange import Format
from service.errors import AsideError, InvalidInputError
from service.settings import Settings

INTERRUPTED = 130
STANDARD = Path("-")
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Of one export."""

    entity_type: str
    prefix: str
    kind: Format
    output: Path
    after: str
    resume: bool
    overwrite: bool


class UnwritableError(AsideError):
    """The file does not take what is written: the disk is full, the reader of a pipe is gone."""


class Sink:
    """Where the text goes, counted. ``has_header``: its first line will be no entity."""

    def __init__(self, file: BinaryIO, bar: Progress, *, has_header: bool) -> None:
        self._file = file
        self._bar = bar
        self._task = bar.add_task("exporting", total=None)
        self._lines = -1 if has_header else 0
        self.has_header = has_header
        self.bytes = 0

    @property
    def rows(self) -> int:
        return max(0, self._lines)

    def expect(self, rows: int) -> None:
        self._bar.update(self._task, total=rows)

    async def write(self, piece: bytes) -> None:
        try:
            self._file.write(piece)
        except OSError as error:
            raise UnwritableError(f"cannot write: {error.strerror or error}") from error
        self._lines += piece.count(b"\n")
        self.bytes += len(piece)
        self._bar.update(self._task, completed=self.rows)


def run_export(settings: Settings, options: Options, *, as_json: bool) -> None:
    """Raises typer.Exit where it is interrupted, AsideError, OSError."""
    began_at = time.monotonic()
    bar = Progress(
        TextColumn("exporting"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=as_json or not sys.stderr.isatty(),
    )
    finished = False
    with _opened(options) as (file, after, is_new):
        sink = Sink(file, bar, has_header=is_new and options.kind is Format.CSV)
        try:
            with bar:
                uvloop.run(_export(settings, options, sink, after=after))
            finished = True
        except KeyboardInterrupt:
            typer.echo("aside: interrupted; the same command with --resume goes on from there", err=True)
            raise typer.Exit(INTERRUPTED) from None
        finally:
            seconds = round(time.monotonic() - began_at, 3)
            summary = {"rows": sink.rows, "bytes": sink.bytes, "seconds": seconds, "finished": finished}
            _tell(summary, as_json=as_json, to_stderr=options.output == STANDARD)


async def _export(settings: Settings, options: Options, sink: Sink, *, after: str) -> None:
    with translated():
        connection = await connect(
            settings.database_url.get_secret_value(), connect_timeout=settings.database.connect_timeout_seconds
        )
    try:
        session = ExportSession(connection, options.entity_type, prefix=options.prefix, after=after)
        sink.expect(await session.about_how_many())
        if options.kind is Format.NDJSON:
            await session.copy_lines(sink.write)
        else:
            await session.copy_table(sink.write, has_header=sink.has_header)
    finally:
        connection.terminate()


@contextmanager
def _opened(options: Options) -> Iterator[tuple[BinaryIO, str, bool]]:
    """The file, at its end; the id after which it goes on; whether nothing stands before. Raises InvalidInputError."""
    if options.output == STANDARD:
        yield sys.stdout.buffer, options.after, not options.after
        sys.stdout.buffer.flush()
        return
    exists = options.output.exists()
    if exists and not (options.resume or options.overwrite):
        raise InvalidInputError(f"{options.output} exists: --resume goes on with it, --overwrite begins it anew")
    with options.output.open("r+b" if exists and options.resume else "wb") as file:
        after = _cut_back(file, options) if exists and options.resume else ""
        yield file, after or options.after, file.tell() == 0
        file.flush()
        os.fsync(file.fileno())


def _cut_back(file: BinaryIO, options: Options) -> str:
    """Cut off what comes after the last whole line; the id in it, empty where there is none."""
    end, line = _last_line(file)
    file.truncate(end)
    file.seek(end)
    if not line or (options.kind is Format.CSV and line.startswith("entity_type,")):
        return ""
    try:
        entity_type, entity_id = _names_in(line, options.kind)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InvalidInputError(f"{options.output} is no export of this format: its last line names nothing") from error
    if entity_type != options.entity_type:
        raise InvalidInputError(f"{options.output} is an export of {entity_type}, not of {options.entity_type}")
    return entity_id


def _names_in(line: str, kind: Format) -> tuple[str, str]:
    if kind is Format.CSV:
        cells = next(csv.reader([line]))
        return cells[0], cells[1]
    members = parse_exact(line)
    return str(members["entity_type"]), str(members["id"])


def _last_line(file: BinaryIO) -> tuple[int, str]:
    """Where the last whole line ends, and that line; looked for from the end."""
    at = file.seek(0, os.SEEK_END)
    tail = b""
    while at > 0 and tail.count(b"\n") < 2:
        before, at = at, max(0, at - _BLOCK)
        file.seek(at)
        tail = file.read(before - at) + tail
    whole, newline, _ = tail.rpartition(b"\n")
    if not newline:
        return 0, ""
    return at + len(whole) + 1, whole.rpartition(b"\n")[2].decode(errors="replace")


def check(options: Options) -> None:
    """Raises InvalidInputError where the options do not fit."""
    if not re.fullmatch(ENTITY_TYPE_PATTERN, options.entity_type):
        raise InvalidInputError(f"{options.entity_type!r} is no entity type")
    for given in (options.prefix, options.after):
        if not re.fullmatch(PREFIX_PATTERN, given):
            raise InvalidInputError(f"no id is {given!r}, or begins so")
    if options.resume and (options.output == STANDARD or options.after):
        raise InvalidInputError("--resume goes on with a file after its last line: give one, and no --after")


def _tell(summary: Mapping[str, object], *, as_json: bool, to_stderr: bool) -> None:
    if as_json:
        typer.echo(json.dumps(summary), err=to_stderr)
        return
    text = f"{summary['rows']:,} rows, {summary['bytes']:,} bytes in {summary['seconds']:,} s"
    Console(stderr=to_stderr, soft_wrap=True, highlight=False).print(text)
