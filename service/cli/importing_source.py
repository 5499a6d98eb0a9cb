"""The file of an import: its records one after the other, and at each of them the place from which to go on.

A place is a number of bytes and the digest of what stands before it. A file that was mended behind that place can be
gone on with; one that is another before it, cannot.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from hashlib import blake2b
from typing import BinaryIO

from service.db.importing import Progress
from service.domain.interchange import FIELDS, Format
from service.errors import InvalidInputError
from service.services.importing import Item

_BLOCK = 1 << 20
csv.field_size_limit(1 << 30)  # how large a document may be, the rules say


class Source:
    """``place`` is where the last record that was given out ends."""

    def __init__(self, file: BinaryIO, kind: Format) -> None:
        self._file = file
        self._digest = blake2b(digest_size=20)
        self._records = self._lines = self._bytes = 0
        self._raw: list[bytes] = []
        self.header = b""
        """The first row of a table, as it stands there."""
        self._columns = self._read_header() if kind is Format.CSV else []

    @property
    def place(self) -> Progress:
        """With no bytes of rejects: whoever keeps these, knows."""
        return Progress(self._records, self._lines, self._bytes, self._digest.hexdigest(), 0)

    def go_on_from(self, place: Progress) -> None:
        """Raises InvalidInputError where the file is another one up to there. Nothing may have been read yet."""
        while self._bytes < place.bytes and (block := self._file.read(min(_BLOCK, place.bytes - self._bytes))):
            self._digest.update(block)
            self._bytes += len(block)
        if self._digest.hexdigest() != place.digest:
            raise InvalidInputError(
                "the file was changed before the place that was reached: import it without --resume"
            )
        self._records, self._lines = place.records, place.lines

    def chunks(self, records: int, most_bytes: int) -> Iterator[list[Item]]:
        """So many records at a time, fewer of large ones."""
        chunk: list[Item] = []
        size = 0
        for item in self._items():
            chunk.append(item)
            size += len(item.raw)
            if len(chunk) >= records or size >= most_bytes:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _items(self) -> Iterator[Item]:
        """Raises InvalidInputError for a table that is none."""
        if self._columns:
            yield from self._rows()
            return
        for raw in self._take_lines():
            if raw.strip():
                self._records += 1
                yield Item(self._records, self._lines, raw)

    def _rows(self) -> Iterator[Item]:
        reader = csv.reader(self._text(), strict=True)
        while True:
            self._raw, line = [], self._lines + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise InvalidInputError(f"line {line}: no row of a table: {error}") from error
            if cells is None:
                return
            if cells:
                self._records += 1
                named = dict(zip(self._columns, cells, strict=False)) if len(cells) == len(self._columns) else {}
                yield Item(self._records, line, b"".join(self._raw), named)

    def _text(self) -> Iterator[str]:
        """What is no UTF-8 is refused where its record is looked at."""
        for raw in self._take_lines():
            self._raw.append(raw)
            yield raw.decode(errors="surrogateescape")

    def _read_header(self) -> list[str]:
        for raw in self._take_lines():
            self.header = raw
            try:
                columns = next(csv.reader([raw.decode(errors="replace")]), [])
            except csv.Error as error:
                raise InvalidInputError(f"the first row is none of a table: {error}") from error
            if not {"id", "body"} <= set(columns) <= set(FIELDS) or len(set(columns)) < len(columns):
                names = ", ".join(FIELDS)
                raise InvalidInputError(f"the first row must have some of the names {names}; id and body at least")
            return columns
        return ["id", "body"]  # an empty file has no rows

    def _take_lines(self) -> Iterator[bytes]:
        for raw in self._file:
            self._digest.update(raw)
            self._bytes += len(raw)
            self._lines += 1
            yield raw


def standard_input() -> BinaryIO:
    """Read once, from its beginning."""
    return io.open(0, "rb", closefd=False)  # noqa: UP020
