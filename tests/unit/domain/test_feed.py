"""What follows a place in the feed, over histories of transactions that take as long as they like."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.feed import (
    Change,
    Cursor,
    Moment,
    Rest,
    Seen,
    Stretch,
    newest_of_each,
    page_of,
    why_gone,
)

MARK = "00" * 8


@dataclass
class Server:
    """PostgreSQL, as far as the feed looks at it."""

    next_xid: int = 10
    version: int = 0
    open: dict[int, list[Change]] = field(default_factory=dict)
    committed: list[tuple[int, Change]] = field(default_factory=list)

    def begin(self) -> None:
        self.open[self.next_xid] = []
        self.next_xid += 1

    def write(self, xid: int, key: str) -> None:
        self.version += 1
        self.open[xid].append(change(key, self.version))

    def commit(self, xid: int) -> None:
        self.committed += [(xid, each) for each in self.open.pop(xid)]

    def read(self, cursor: Cursor, most: int) -> Stretch:
        """As `service.db.feed` does it."""
        now = Seen(self.next_xid, tuple(sorted(self.open)))
        ahead = sorted(xid for xid, _ in self.committed if xid >= cursor.seen.before)
        moment = Moment(MARK, now, 0, ahead[0] if ahead else None, ahead[most] if len(ahead) > most else None)
        assert why_gone(cursor, moment) is None
        rest = cursor.rest or Rest(moment.end_of_page, 0, self.version)
        found = sorted(
            (
                each
                for xid, each in self.committed
                if not sees(cursor.seen, xid) and sees(rest.until, xid) and rest.after < each.noted <= rest.last
            ),
            key=lambda each: each.noted,
        )
        goes_on = len(found) > most
        if found:
            assert moment.has_news_for(cursor)
        last = max((each.noted for each in found), default=0)
        return Stretch(MARK, cursor.seen, rest.until, found[:most], last, goes_on=goes_on, is_last=rest.until == now)


def change(key: str, version: int) -> Change:
    return Change("thing", key, version, version, deleted=False, at="")


def sees(seen: Seen, xid: int) -> bool:
    return xid < seen.before and xid not in seen.open


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["begin", "write", "write", "write", "end", "end", "abort", "read"]), st.integers(0, 99)),
    max_size=80,
)


@given(ACTIONS, st.integers(1, 6))
def test_everything_that_is_committed_is_told_once_however_long_it_took(actions: list[tuple[str, int]], most: int):
    server, cursor, told = Server(), Cursor(MARK, Seen(10)), list[Change]()
    for action, number in actions:
        xids = sorted(server.open)
        xid = xids[number % len(xids)] if xids else 0
        match action:
            case "begin":
                server.begin()
            case "write" if xids:
                server.write(xid, f"k{number}")
            case "end" if xids:
                server.commit(xid)
            case "abort" if xids:
                del server.open[xid]
            case "read":
                stretch = server.read(cursor, most)
                told += stretch.changes
                cursor = stretch.end
    for xid in sorted(server.open):
        server.commit(xid)
    while True:
        stretch = server.read(cursor, most)
        told += stretch.changes
        cursor = stretch.end
        if stretch.is_last and not stretch.goes_on:
            break
    assert sorted(told) == sorted(each for _, each in server.committed)


@given(ACTIONS, st.integers(1, 6), st.data())
def test_from_behind_any_change_what_follows_is_told_and_nothing_before_it(
    actions: list[tuple[str, int]], most: int, data: st.DataObject
):
    server = Server()
    for action, number in actions:
        xids = sorted(server.open)
        if action == "begin":
            server.begin()
        elif xids and action == "write":
            server.write(xids[number % len(xids)], f"k{number}")
        elif xids:
            server.commit(xids[number % len(xids)])
    stretch = server.read(Cursor(MARK, Seen(10)), most)
    if not stretch.changes:
        return
    place = data.draw(st.integers(0, len(stretch.changes) - 1))
    cursor, told = stretch.after(stretch.changes[place]), list[Change]()
    while True:
        following = server.read(cursor, most)
        told += following.changes
        cursor = following.end
        if following.is_last and not following.goes_on:
            break
    assert sorted([*stretch.changes[: place + 1], *told]) == sorted(each for _, each in server.committed)


def test_a_page_ends_with_a_whole_transaction_and_has_one_at_least():
    now = Seen(30, (12, 25))
    assert Moment(MARK, now, 0, first=14, beyond=20).end_of_page == Seen(20, (12,))
    assert Moment(MARK, now, 0, first=14, beyond=14).end_of_page == Seen(15, (12,))
    assert Moment(MARK, now, 0, first=14, beyond=None).end_of_page == now
    assert Moment(MARK, now, 0, first=None, beyond=None).end_of_page == now


@pytest.mark.parametrize(
    ("seen", "pruned", "gone"),
    [
        (Seen(20), 19, 0),
        (Seen(20), 20, 1),
        (Seen(20), 25, 1),
        (Seen(28, (5,)), 27, 0),  # it is open still: whatever it has changed cannot have been forgotten
        (Seen(28, (6,)), 5, 0),
        (Seen(28, (6,)), 6, 1),
        (Seen(31), 0, 1),  # there has never been such a transaction
    ],
)
def test_a_place_is_gone_once_something_that_follows_it_may_have_been_forgotten(seen: Seen, pruned: int, gone: int):
    moment = Moment(MARK, Seen(30, (5,)), pruned, None, None)
    assert (why_gone(Cursor(MARK, seen), moment) is not None) == bool(gone)
    assert why_gone(moment.oldest, moment) is None
    assert why_gone(moment.now, moment) is None
    assert why_gone(Cursor("11" * 8, Seen(30)), moment) is not None


def test_of_a_key_a_page_tells_the_newest_change_only_and_in_its_place():
    noted = [change("a", 1), change("b", 2), change("a", 3), change("c", 4)]
    assert newest_of_each(noted) == [noted[1], noted[2], noted[3]]
    other = noted[0]._replace(entity_type="other")
    assert newest_of_each([other, noted[2]]) == [other, noted[2]]


def test_a_page_of_one_type_goes_on_behind_what_it_has_looked_at():
    noted = [change(f"k{n}", n)._replace(entity_type="odd" if n % 2 else "even") for n in range(1, 9)]
    stretch = Stretch(MARK, Seen(10), Seen(20), noted, last=8)
    page = page_of(stretch, 10, lambda of: of == "odd")
    assert ([each.noted for each in page.changes], page.cursor, page.has_more) == ([1, 3, 5, 7], stretch.end, False)
    page = page_of(stretch, 2, lambda of: of == "odd")
    assert [each.noted for each in page.changes] == [1, 3]
    assert (page.cursor, page.has_more) == (Cursor(MARK, Seen(10), Rest(Seen(20), 3, 8)), True)
    nothing = page_of(stretch, 2, lambda of: of == "none")
    assert (nothing.changes, nothing.cursor) == ([], Cursor(MARK, Seen(20)))
