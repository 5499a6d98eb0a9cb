"""Pages of rows in the order of their ids, each begun where the one before ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_AFTER_ALL_IDS = "\x7f"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the documents, in order, and the id after which the next ones come; None at the end."""

    documents: list[bytes]
    next_id: str | None


def page_of(records: Sequence[Any], limit: int) -> Page:
    """``records`` are ``limit`` rows, and one more where there is a next page."""
    shown = records[:limit]
    return Page([record["body"] for record in shown], shown[-1]["id"] if len(records) > limit else None)


def beyond(prefix: str) -> str:
    """The first text, in the order of bytes, after all ids that begin with ``prefix``."""
    return f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}" if prefix else _AFTER_ALL_IDS
