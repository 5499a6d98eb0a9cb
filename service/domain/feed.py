"""Where a reader of the feed of changes is, and what it is told next. Pure.

Versions are taken before they are committed, so "everything after version 7" would pass over a version 6 whose
transaction takes longer. A place in the feed is therefore a set of transactions, as PostgreSQL's snapshots are:

    seen:   all below 120, but not 107, which was open
    until:  all below 131, but not 124           what lies between is told next: 107, and 120 to 130 without 124

A snapshot may be cut off below: "all below 125, but not those that are open now" is as good a place as any, for what is
at an end stays so. So a page ends at the end of a transaction, and the next one begins with nothing but a set again.
Only what one transaction changes and no page can hold is gone through by versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self


@dataclass(frozen=True, slots=True)
class Seen:
    """Of all transactions below ``before``, those that are not ``open``; these are in order."""

    before: int
    open: tuple[int, ...] = ()

    @classmethod
    def of_snapshot(cls, text: str) -> Self:
        """``text`` is PostgreSQL's: `xmin:xmax:xip,xip`."""
        _, before, still_open = text.split(":")
        return cls(int(before), tuple(map(int, still_open.split(","))) if still_open else ())

    @property
    def as_snapshot(self) -> str:
        return f"{self.open[0] if self.open else self.before}:{self.before}:{','.join(map(str, self.open))}"

    def below(self, before: int) -> Self:
        """The part of it below a transaction."""
        return type(self)(before, tuple(xid for xid in self.open if xid < before))

    def ended_in(self, later: Seen) -> tuple[int, ...]:
        """Those that were open, and are not in ``later``."""
        still_open = frozenset(later.open)
        return tuple(xid for xid in self.open if xid not in still_open)


class Rest(NamedTuple):
    """What is left to be told of what lies between a place and ``until``: versions above ``after``, up to ``last``."""

    until: Seen
    after: int
    last: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the feed. ``mark`` names, in 16 hexadecimal digits, the history that it is a place of."""

    mark: str
    seen: Seen
    rest: Rest | None = None


class Moment(NamedTuple):
    """One snapshot of PostgreSQL: up to ``pruned`` changes of transactions have been forgotten, all or some of them.

    Of the changes of transactions from a place's ``before`` on, ``first`` is the transaction of the first one, and
    ``beyond`` that of the first one for which a page has no room; None where there is none.
    """

    mark: str
    seen: Seen
    pruned: int
    first: int | None
    beyond: int | None

    def has_news_for(self, cursor: Cursor) -> bool:
        """False where it is certain that nothing follows."""
        return self.first is not None or cursor.rest is not None or bool(cursor.seen.ended_in(self.seen))

    @property
    def now(self) -> Cursor:
        """The place behind all that is committed."""
        return Cursor(self.mark, self.seen)

    @property
    def oldest(self) -> Cursor:
        """The first place from which on nothing is missing."""
        return Cursor(self.mark, self.seen.below(self.pruned + 1))

    @property
    def end_of_page(self) -> Seen:
        """As far as a page goes: up to a whole transaction, and over one at least."""
        if self.first is None or self.beyond is None:
            return self.seen
        return self.seen.below(max(self.beyond, self.first + 1))


def why_gone(cursor: Cursor, moment: Moment) -> str | None:
    """Why nobody can say what follows a place; None where the changes that are kept tell it."""
    if cursor.mark != moment.mark:
        return "it is of another history: there was a TRUNCATE, or a failover, or a restore"
    if cursor.seen.before > moment.seen.before:
        return "it is ahead of PostgreSQL, which was set back to an earlier state"
    # What is still open cannot have been forgotten.
    if cursor.seen.before <= moment.pruned or any(xid <= moment.pruned for xid in cursor.seen.ended_in(moment.seen)):
        return "changes that follow it are not kept any more"
    return None


class Change(NamedTuple):
    """A key that was changed by the transaction that noted version ``noted``, and what had become of it when this was
    read: ``version`` is as new or newer; ``at`` is RFC 3339.
    """

    entity_type: str
    id: str
    noted: int
    version: int
    deleted: bool
    at: str

    @property
    def as_told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "entity_type": self.entity_type,
            "id": self.id,
            "version": self.version,
            "deleted": self.deleted,
            "at": self.at,
        }


@dataclass(slots=True)
class Stretch:
    """What lies between a place and ``until``, or its first part: then it ``goes_on``. ``is_last``: nothing followed.

    ``last`` is the highest version of all of it.

    ``rendered`` is for whoever shows it to many, to keep what was made of it once.
    """

    mark: str
    seen: Seen
    until: Seen
    changes: Sequence[Change]
    last: int = 0
    goes_on: bool = False
    is_last: bool = True
    rendered: list[tuple[str, bytes]] | None = field(default=None, compare=False)

    @property
    def end(self) -> Cursor:
        return self.after(self.changes[-1]) if self.goes_on else Cursor(self.mark, self.until)

    def after(self, change: Change) -> Cursor:
        """The place behind one of the changes."""
        if not self.goes_on and change is self.changes[-1]:
            return Cursor(self.mark, self.until)
        return Cursor(self.mark, self.seen, Rest(self.until, change.noted, self.last))


class Page(NamedTuple):
    """``has_more``: to be asked for at once."""

    changes: list[Change]
    cursor: Cursor
    has_more: bool


def page_of(stretch: Stretch, limit: int, wants: Callable[[str], bool]) -> Page:
    """At most ``limit`` of the changes of those types that somebody wants, or may know of."""
    wanted = [change for change in newest_of_each(stretch.changes) if wants(change.entity_type)]
    if len(wanted) > limit:
        return Page(wanted[:limit], stretch.after(wanted[limit - 1]), has_more=True)
    return Page(wanted, stretch.end, has_more=stretch.goes_on or not stretch.is_last)


def newest_of_each(changes: Iterable[Change]) -> list[Change]:
    """Each key once, in the place of its newest change: who reads it then need not read it for the others."""
    found: dict[tuple[str, str], Change] = {}
    for change in changes:
        found.pop(change[:2], None)
        found[change[:2]] = change
    return list(found.values())
