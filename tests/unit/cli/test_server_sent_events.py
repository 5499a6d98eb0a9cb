"""Events out of lines, as `aside changes --follow` reads them."""

from __future__ import annotations

from service.cli.server_sent_events import Event, events_of


def test_an_event_ends_with_an_empty_line_and_keeps_the_last_id():
    lines = [": alive", "id: 1", "", "event: change", 'data: {"a": ": b"}', "id: 2", "", "data:x", "", "event: cut off"]
    assert list(events_of(lines, "0")) == [
        Event("", "", "1"),
        Event("change", '{"a": ": b"}', "2"),
        Event("", "x", "2"),
    ]


def test_without_an_id_it_is_where_one_was():
    assert list(events_of([": alive", "retry: 1", ""], "7")) == [Event("", "", "7")]
    assert list(events_of(["data: half"], "7")) == []
