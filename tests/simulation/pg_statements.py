"""What each statement of the service does, in memory. `test_postgres_is_faithful` compares it with PostgreSQL.

Reads answer at once. Writes are in two steps, under the row lock and at the commit, with time in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from service.db.sql import sql
from tests.simulation.pg_rows import Change, Key, Row, Rows, Snapshot, Transaction

Record = dict[str, Any]
Read = Callable[..., list[Record]]


# -- loads -----------------------------------------------------------------------------------------------------------


def _row_record(key: Key, row: Row) -> Record:
    return {
        "entity_type": key[0],
        "id": key[1],
        "version": row.version,
        "body": row.body,
        "modified_at_ms": int(row.updated_at * 1000),
        "cache_ttl_seconds": row.ttl,
    }


def _record(rows: Rows, key: Key, row: Row | None) -> Record:
    if row is not None:
        return _row_record(key, row)
    nothing = {"body": None, "modified_at_ms": None, "cache_ttl_seconds": None}
    return {"entity_type": key[0], "id": key[1], "version": rows.truncated_version, **nothing}


def load(rows: Rows, types: Sequence[str], ids: Sequence[str]) -> list[Record]:
    return [_record(rows, key, row) for key, row in rows.rows(zip(types, ids, strict=True))]


def load_with_coverage(rows: Rows, types: Sequence[str], ids: Sequence[str]) -> list[Record]:
    wait_seconds = rows.ledger.granted_until - rows.clock()
    return [
        _record(rows, key, row)
        | {"wait_seconds": wait_seconds, "applied": rows.is_applied(row.version if row is not None else -1)}
        for key, row in rows.rows(zip(types, ids, strict=True))
    ]


def coverage(rows: Rows, versions: Sequence[int]) -> list[Record]:
    wait_seconds = rows.ledger.granted_until - rows.clock()
    return [
        {"version": version, "wait_seconds": wait_seconds, "applied": rows.is_applied(version)} for version in versions
    ]


def current_version(rows: Rows, entity_type: str, entity_id: str) -> list[Record]:
    row = rows.table.get((entity_type, entity_id))
    return [] if row is None or row.deleted else [{"version": row.version}]


def history(rows: Rows) -> list[Record]:
    return [{"split_part": rows.generation().partition(".")[0]}]


# -- the relay -------------------------------------------------------------------------------------------------------


def relay_lead(rows: Rows) -> list[Record]:
    rows.ledger.term = max(rows.ledger.term + 1, int(rows.clock() * 1000))
    return [{"term": rows.ledger.term}]


def relay_granted_elsewhere(rows: Rows, run_id: str) -> list[Record]:
    ledger = rows.ledger
    seconds = 0.0 if ledger.run_id == run_id else ledger.granted_until - rows.clock()
    return [{"seconds": seconds, "moved": ledger.run_id is not None and ledger.run_id != run_id}]


def relay_note(rows: Rows, run_id: str, bound_seconds: float) -> list[Record]:
    ledger, now = rows.ledger, rows.clock()
    if ledger.run_id != run_id or ledger.granted_until < now + bound_seconds:
        ledger.run_id, ledger.granted_until = run_id, now + bound_seconds * 1.25
    return []


def _change_record(change: Change) -> Record:
    return {"version": change.version, "entity_type": change.key[0], "id": change.key[1]}


def relay_poll(rows: Rows, since: str, page_size: int) -> list[Record]:
    now = rows.snapshot()
    head = {
        "horizon": str(now),
        "generation": rows.generation(),
        "type_epochs": "".join([f" {name}:{number}" for name, number in sorted(rows.type_epochs.items())]),
        "pruned_xid": rows.ledger.pruned_xid,
    }
    page = rows.changes_between(Snapshot.parse(since), now)[:page_size]
    if not page:
        return [{**head, "version": None, "entity_type": None, "id": None, "age_seconds": None}]
    return [{**head, **_change_record(change), "age_seconds": rows.clock() - change.at} for change in page]


def relay_page(rows: Rows, since: str, horizon: str, page_size: int, after: int) -> list[Record]:
    page = rows.changes_between(Snapshot.parse(since), Snapshot.parse(horizon), after=after)
    return [_change_record(change) for change in page[:page_size]]


def relay_applied(rows: Rows, horizon: str, generation: str) -> list[Record]:
    rows.ledger.applied, rows.ledger.generation = horizon, generation
    return []


def relay_next_epoch(rows: Rows) -> list[Record]:
    rows.next_epoch()
    return []


READS: dict[str, Read] = {
    sql(read.__name__): read
    for read in (
        load, load_with_coverage, coverage, current_version, history, relay_lead, relay_granted_elsewhere, relay_note,
        relay_poll, relay_page, relay_applied, relay_next_epoch,
    )
} | {"SELECT 1": lambda _: [{"one": 1}]}  # fmt: skip


# -- writes: what a statement makes of a row that it has locked ------------------------------------------------------

Write = Callable[..., Row | None]
"""The new row, or None where the condition does not hold."""


def stamped(rows: Rows, old: Row | None, body: bytes | None, *, ttl: float | None = None) -> Row:
    """As the trigger does it: the version is taken now that the row is locked."""
    now = rows.clock()
    created_at = now if old is None or (old.deleted and body is not None) else old.created_at
    return Row(rows.next_version(), body, body is None, ttl if body is not None else None, created_at, now)


def put(rows: Rows, old: Row | None, document: str, ttl: float | None, must_be_absent: bool) -> Row | None:  # noqa: FBT001
    if old is None or old.deleted:
        return stamped(rows, None, document.encode(), ttl=ttl)
    rows.next_version()  # an INSERT's trigger takes one before the conflict is seen
    return None if must_be_absent else stamped(rows, old, document.encode(), ttl=ttl)


def put_if_match(rows: Rows, old: Row | None, document: str, ttl: float | None, versions: list[int]) -> Row | None:
    if old is None or old.deleted or (versions and old.version not in versions):
        return None
    return stamped(rows, old, document.encode(), ttl=ttl)


def delete(rows: Rows, old: Row | None, versions: list[int] | None) -> Row | None:
    if old is None or old.deleted or (versions and old.version not in versions):
        return None
    return stamped(rows, old, None)


WRITES: dict[str, Write] = {sql(write.__name__): write for write in (put, put_if_match, delete)}


def written_record(row: Row) -> Record:
    return {
        "version": row.version,
        "body": row.body,
        "modified_at_ms": int(row.updated_at * 1000),
        "cache_ttl_seconds": row.ttl,
        "created": row.body is not None and row.created_at == row.updated_at,
    }


# -- plain SQL, by somebody who knows nothing of the service ---------------------------------------------------------


def plain_update(rows: Rows, transaction: Transaction, key: Key, document: bytes) -> None:
    """`INSERT … ON CONFLICT DO UPDATE`, in a transaction that stays open."""
    old = _own(rows, transaction, key)
    rows.write(transaction, key, stamped(rows, old, document, ttl=None if old is None else old.ttl))


def plain_delete(rows: Rows, transaction: Transaction, key: Key) -> None:
    """`DELETE`: the trigger leaves a tombstone."""
    old = _own(rows, transaction, key)
    if old is not None and not old.deleted:
        rows.write(transaction, key, stamped(rows, None, None))


def _own(rows: Rows, transaction: Transaction, key: Key) -> Row | None:
    return transaction.written.get(key) or rows.table.get(key)
