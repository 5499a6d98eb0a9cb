"""In which manner a warming goes on: alone, at the command of a process that serves, or in that process itself."""

from __future__ import annotations

from typing import NamedTuple


class Manner(NamedTuple):
    """``page_size``: keys per script. ``rows_at_once``: so many are made into entries in one turn of the loop.
    ``rest``: behind each page its lane rests, for so many times as long as the page took.
    """

    page_size: int
    pages_in_flight: int
    rows_at_once: int
    rest: float


ALONE = Manner(page_size=250, pages_in_flight=3, rows_at_once=250, rest=0.0)
"""In a process of its own: one page is leased, one is read, one is filled. Each takes about a millisecond of Redis."""

APART = Manner(page_size=25, pages_in_flight=1, rows_at_once=50, rest=1.0)
"""In a process of its own, but at the command of one that serves."""

BESIDE_REQUESTS = Manner(page_size=50, pages_in_flight=1, rows_at_once=10, rest=1.0)
"""In a process that serves: a request that comes meanwhile waits for no more of it than for one or two others. Where
any of the servers is slow, or the loop is late, a page takes longer, and so does the rest behind it.
"""
