"""The bytes of an entry: a one-line ASCII header, a newline, the JSON body as stored. Readable with `valkey-cli get`.

    V1 <version> <generation> <cost> <written at> <fresh until> <stale until> <modified at> <name>
    N1 ...                                             the same for "does not exist", with no body
    L1 <token> <floor>                                 a lease; written and read by the Lua scripts

Times are ms of Redis's clock, except `modified at` (PostgreSQL's). The scripts read the first three fields.
"""

from __future__ import annotations

from service.cache.entry import EARLIEST_MS, END_MS, HEADER_MOST, Entry


def encode(entry: Entry, name: str) -> bytes:
    """The bytes to install. ``name`` is `{entity_type}:{id}`, free of white space."""
    kind = "N1" if entry.body is None else "V1"
    header = (
        f"{kind} {entry.version} {entry.generation.decode()} {entry.cost_ms} {entry.written_at_ms} "
        f"{entry.fresh_until_ms} {entry.stale_until_ms} {entry.modified_at_ms} {name}\n"
    )
    return header.encode() + (entry.body or b"")


def decode(raw: bytes, name: str) -> Entry | None:
    """The entry, or None for anything that is not an entry of this format with this name: a lease, a foreign format,
    damaged bytes, another key's value on a desynchronised connection.
    """
    head, newline, body = raw.partition(b"\n")
    try:
        kind, version, generation, cost, written, fresh, stale, modified, named = head.split(b" ")
        if named != name.encode() or not newline or kind not in (b"V1", b"N1"):
            return None
        modified_ms = int(modified)
        if len(head) - len(named) > HEADER_MOST or not EARLIEST_MS <= modified_ms < END_MS:
            return None
        # By position: this runs for every hit, and names would double its price.
        return Entry(
            int(version),
            generation,
            int(cost),
            int(written),
            int(fresh),
            int(stale),
            modified_ms,
            body if kind == b"V1" else None,
        )
    except ValueError:
        return None


def is_lease(raw: bytes) -> bool:
    return raw.startswith(b"L1 ")
