"""Importing: records are checked by the rules of the API, and written chunk by chunk, each in one transaction.

The triggers of the table note the changes as for any write, and the relay tells the caches: within B, as for plain SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from service.db.importing import Chunk, ImportSession, Progress, Row, RowsRefusedError
from service.domain.interchange import Given, Rules
from service.errors import InvalidInputError
from service.schemas import SchemaChecker


class Item(NamedTuple):
    """One record of a source: its number, the line at which it begins, its bytes; its cells where it is of a table."""

    record: int
    line: int
    raw: bytes
    cells: dict[str, str] | None = None


class Refused(NamedTuple):
    """A record that cannot be imported, and why."""

    item: Item
    reason: str


class BadRecordsError(InvalidInputError):
    """Some of a chunk's records cannot be imported; nothing of the chunk was."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__(f"line {refused[0].item.line}: {refused[0].reason}")
        self.refused = refused


class Imported(NamedTuple):
    """What became of a chunk; ``kept``: there already, the same or, where that was asked for, whatever it is."""

    created: int
    replaced: int
    kept: int
    refused: list[Refused]


Keep = Callable[[Sequence[Refused]], int]
"""Keeps what is refused where a crash does not take it away; returns how many bytes are kept in all."""


class Importing:
    """``keep`` None: of a chunk with bad records nothing is written. Otherwise the good ones are, the bad ones kept."""

    def __init__(self, session: ImportSession, rules: Rules, checker: SchemaChecker, *, keep: Keep | None) -> None:
        self._session = session
        self._rules = rules
        self._checker = checker
        self._keep = keep

    async def take(self, items: Sequence[Item], *, source: str | None, progress: Progress) -> Imported:
        """Write them, and note with them how far ``source`` is read. Raises BadRecordsError, UnavailableError."""
        rows: list[Row] = []
        refused: list[Refused] = []
        for item in items:
            try:
                rows.append(await self._row(item))
            except InvalidInputError as error:
                refused.append(Refused(item, str(error)))
        if refused and self._keep is None:
            raise BadRecordsError(refused)

        def before_commit(chunk: Chunk) -> Progress:
            refused.extend(_refused(items, chunk.refused))
            refused.sort()
            return progress if self._keep is None else progress._replace(rejects_bytes=self._keep(refused))

        try:
            chunk = await self._session.write(
                rows, takes_part=self._keep is not None, source=source, before_commit=before_commit
            )
        except RowsRefusedError as error:
            raise BadRecordsError(_refused(items, error.refused)) from error
        kept = len(items) - len(refused) - chunk.created - chunk.replaced
        return Imported(chunk.created, chunk.replaced, kept, refused)

    async def _row(self, item: Item) -> Row:
        given: Given = self._rules.read_line(item.raw) if item.cells is None else self._rules.read_row(item.cells)
        if given.content is not None:
            await self._checker.check(given.content.schema, given.content.value)
        return Row(item.record, given.entity_type, given.id, given.body, given.ttl_seconds)


def _refused(items: Sequence[Item], reasons: dict[int, str]) -> list[Refused]:
    return [Refused(item, reasons[item.record]) for item in items if item.record in reasons]
