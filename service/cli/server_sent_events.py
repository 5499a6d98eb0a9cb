"""Events out of the lines of a text/event-stream, as far as Aside sends it: one line of data at the most. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Event(NamedTuple):
    """``id`` is the last one that was seen; ``data`` is empty where only that, or a comment, was sent."""

    name: str
    data: str
    id: str


def events_of(lines: Iterable[str], last_id: str = "") -> Iterator[Event]:
    """Each ends with an empty line; one that is cut off before it is none."""
    name, data = "", ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "":
                if not line:
                    yield Event(name, data, last_id)
                    name, data = "", ""
            case "event":
                name = value
            case "data":
                data = value
            case "id":
                last_id = value
            case _:
                pass
