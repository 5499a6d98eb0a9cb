"""What waits for one of those who follow the feed: bounded, in order, and thrown away at its end."""

from __future__ import annotations

from service.domain.feed import Seen, Stretch
from service.services.followers import MOST_WAITING, End, Follower


def stretch(number: int) -> Stretch:
    return Stretch("00" * 8, Seen(number), Seen(number + 1), [])


async def test_what_waits_is_handed_out_in_order_and_then_nothing():
    follower = Follower()
    for number in (1, 2):
        follower.offer(stretch(number))
    assert [await follower.next(60) for _ in range(2)] == [stretch(1), stretch(2)]
    assert await follower.next(0.001) is None
    assert follower.end is None


async def test_who_takes_it_too_slowly_is_sent_away_and_nothing_is_kept_for_it():
    follower = Follower()
    for number in range(1, MOST_WAITING + 1):
        follower.offer(stretch(number))
    assert follower.end is None
    follower.offer(stretch(MOST_WAITING + 1))
    assert follower.end is End.SLOW
    assert await follower.next(60) is None


async def test_the_first_end_is_the_one_that_counts():
    follower = Follower()
    follower.finish(End.GONE)
    follower.finish(End.STOPPING)
    assert follower.end is End.GONE
    assert await follower.next(60) is None
