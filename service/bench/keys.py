"""The ids that are asked for: a range, or a file with one in each line."""

from __future__ import annotations

import re
from pathlib import Path

from service.bench.errors import BadOptionError

MOST = 5_000_000
_RANGE = re.compile(r"(.*?)(\d{1,18}):(\d{1,18})", re.ASCII)
_ENTITY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@-]{0,254}", re.ASCII)


def ids_of_range(text: str) -> tuple[str, ...]:
    """`1:1000`, both ends included; `user-1:1000` puts `user-` before each. Raises BadOptionError."""
    found = _RANGE.fullmatch(text)
    if found is None or int(found[3]) < int(found[2]):
        raise BadOptionError(f"--ids: {text!r} is no range; 1:1000 is one, and so is user-1:1000")
    first, last = int(found[2]), int(found[3])
    if last - first >= MOST:
        raise BadOptionError(f"--ids: more than {MOST:,} ids are too many")
    return tuple(f"{found[1]}{number}" for number in range(first, last + 1))


def ids_of_file(path: Path) -> tuple[str, ...]:
    """One id in each line; empty lines do not count. Raises BadOptionError."""
    try:
        ids = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise BadOptionError(f"--ids-file: {path} cannot be read: {error}") from error
    if not 0 < len(ids) <= MOST:
        raise BadOptionError(f"--ids-file: {path} has {len(ids):,} ids; 1 to {MOST:,} will do")
    return ids


def check_entity_ids(ids: tuple[str, ...]) -> None:
    """Raises BadOptionError for the first one that no entity can have."""
    for name in ids:
        if not _ENTITY_ID.fullmatch(name):
            raise BadOptionError(f"{name!r} cannot be the id of an entity")
