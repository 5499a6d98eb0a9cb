"""The bytes of an entry: a one-line ASCII header, a newline, the JSON body as stored. Readable with `valkey-cli get`.

    V1 <version> <generation> <cost> <written at> <fresh until> <stale until> <modified at> <name>
    N1 ...                                             the same for "does not exist", with no body
    L1 <token> <floor>                                 a lease; written and read by the Lua scripts

Times are ms of Redis's clock, except `modified at` (PostgreSQL's). The scripts read the first three fields.
"""

from __future__ import annotations

from service.cache.entry import Entry

_FIELDS = 9


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
    kind = raw[:3]
    if kind not in (b"V1 ", b"N1 "):
        return None
    end = raw.find(b"\n")
    fields = raw[:end].split(b" ")
    if end < 0 or len(fields) != _FIELDS or fields[8] != name.encode():
        return None
    try:
        # By position: this runs for every hit, and names would double its price.
        return Entry(
            int(fields[1]),
            fields[2],
            int(fields[3]),
            int(fields[4]),
            int(fields[5]),
            int(fields[6]),
            int(fields[7]),
            raw[end + 1 :] if kind == b"V1 " else None,
        )
    except ValueError:
        return None


def is_lease(raw: bytes) -> bool:
    return raw.startswith(b"L1 ")
