"""What an export writes and an import takes: one entity as a line of JSON, or as a row of a table.

    {"entity_type": "book", "id": "dune", "version": 7, "updated_at": "…", "ttl_seconds": null, "body": {…}}

The rules are those of the API. `version` and `updated_at` are taken, and not looked at: both are given anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from service.domain.document import check_document
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN
from service.domain.exact_json import Json, Numeral, parse_exact, render_exact
from service.domain.parameter import PARAMETER, Content, read_content
from service.errors import InvalidInputError, TooLargeError


class Format(StrEnum):
    """Lines of JSON; or comma-separated values, whose first row has the names of their columns."""

    NDJSON = "ndjson"
    CSV = "csv"


class Conflict(StrEnum):
    """What becomes of an entity that is there when an import brings it."""

    REPLACE = "replace"
    SKIP = "skip"
    FAIL = "fail"


FIELDS = ("entity_type", "id", "version", "updated_at", "ttl_seconds", "body")

_TYPE = re.compile(ENTITY_TYPE_PATTERN, re.ASCII)
_ID = re.compile(ENTITY_ID_PATTERN, re.ASCII)
_BODY = re.compile(r'"body"\s*:\s*')
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,3})?")


class Given(NamedTuple):
    """One entity. ``body`` is its document as JSON; ``content`` is there for a parameter, whose value has a schema."""

    entity_type: str
    id: str
    body: str
    ttl_seconds: float | None
    content: Content | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``entity_type`` is that of lines which name none; None: they must."""

    entity_type: str | None
    body_bytes: int
    json_depth: int
    ttl_seconds: float

    def read_line(self, raw: bytes) -> Given:
        """Raises InvalidInputError."""
        check_document(raw, max_depth=self.json_depth + 1)
        text = raw.decode()
        members = parse_exact(text)
        if not isinstance(members, dict):
            raise InvalidInputError("is no object")
        for name, value in members.items():
            if name not in FIELDS:
                raise InvalidInputError(f"{name!r} is none of {', '.join(FIELDS)}")
            if name != "body" and isinstance(value, (dict, list)):
                raise InvalidInputError(f"{name} is an object or an array")
        if "body" not in members:
            raise InvalidInputError("body is missing")
        return self._given(members, _body_text(text, members))

    def read_row(self, row: Mapping[str, str]) -> Given:
        """``row`` by the names of its columns; an empty cell says nothing. Raises InvalidInputError."""
        if not row:
            raise InvalidInputError("has not as many cells as the first row")
        said: dict[str, Json] = {name: cell for name, cell in row.items() if cell != ""}
        ttl = said.get("ttl_seconds")
        if isinstance(ttl, str):
            if _NUMBER.fullmatch(ttl) is None:
                raise InvalidInputError("ttl_seconds is no number")
            said["ttl_seconds"] = Numeral(ttl)
        if "body" not in said:
            raise InvalidInputError("body is missing")
        check_document(row["body"].encode(errors="surrogateescape"), max_depth=self.json_depth)
        return self._given(said, row["body"])

    def _given(self, members: Mapping[str, Json], body: str) -> Given:
        entity_type, entity_id = members.get("entity_type", self.entity_type), members.get("id")
        if not isinstance(entity_type, str) or not _TYPE.fullmatch(entity_type):
            raise InvalidInputError(f"entity_type must match {ENTITY_TYPE_PATTERN}")
        if not isinstance(entity_id, str) or not _ID.fullmatch(entity_id):
            raise InvalidInputError(f"id must match {ENTITY_ID_PATTERN}")
        if len(body) * 4 > self.body_bytes and len(body.encode()) > self.body_bytes:
            raise TooLargeError(f"body exceeds {self.body_bytes} bytes")
        if entity_type == PARAMETER:
            content = read_content(body, key=entity_id, ttl_seconds_max=self.ttl_seconds)
            return Given(entity_type, entity_id, content.stored, content.ttl_seconds, content)
        return Given(entity_type, entity_id, body, self._lifetime(members.get("ttl_seconds")), None)

    def _lifetime(self, value: Json) -> float | None:
        if value is None:
            return None
        seconds = float(value.text) if isinstance(value, Numeral) else 0.0
        if not 0 < seconds <= self.ttl_seconds:
            raise InvalidInputError(f"ttl_seconds must be a number above 0, up to {self.ttl_seconds:.10g}")
        return seconds


def _body_text(text: str, members: dict[str, Json]) -> str:
    """The document as it stands in its line, where it is the last member, as an export writes it.

    No other member holds an object, and in a string the quotation marks of `"body"` would be escaped: the first is it,
    unless the name itself is written with an escape, and the first one is inside the document.
    """
    begun = _BODY.search(text)
    if begun is not None and next(reversed(members)) == "body" and "{" not in text[text.index("{") + 1 : begun.start()]:
        return text[begun.end() : text.rindex("}")].strip()
    return render_exact(members["body"])
