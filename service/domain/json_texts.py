"""Takes JSON apart without rendering it again: each value as the text that was sent, every digit of it."""

from __future__ import annotations

import json
import re

_BETWEEN = re.compile(r"[ \t\n\r]*+[,:]?+[ \t\n\r]*+")
_PARSER = json.JSONDecoder(parse_int=str, parse_float=str)  # the values are not wanted, only where they end


def texts_of_objects(text: str, start: int) -> list[dict[str, str]]:
    """Of the list of objects that begins at ``start``: for each object the text of every member, by its name.

    ``text`` is known to be good, see `service.domain.document.check_document`, and so is what stands at ``start``.
    """
    found: list[dict[str, str]] = []
    at = _beyond(text, start + 1)
    while text[at] != "]":
        members, at = _members(text, at)
        found.append(members)
        at = _beyond(text, at)
    return found


def _members(text: str, start: int) -> tuple[dict[str, str], int]:
    """The members of the object that begins at ``start``, and where it ends."""
    members: dict[str, str] = {}
    at = _beyond(text, start + 1)
    while text[at] != "}":
        name, at = _PARSER.raw_decode(text, at)
        at = _beyond(text, at)
        _, end = _PARSER.raw_decode(text, at)
        members[name] = text[at:end]
        at = _beyond(text, end)
    return members, at + 1


def _beyond(text: str, at: int) -> int:
    """Where the next name or value begins, or the end of what encloses it."""
    match = _BETWEEN.match(text, at)
    return at if match is None else match.end()
