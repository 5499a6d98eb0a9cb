"""Whether a warming may begin: a Redis that is late once is no reason not to, one that nobody vouches for is."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import CacheUnavailableError
from service.services.manners import ALONE
from service.services.warming import Warming


class Lane:
    """Fails so often, then vouches."""

    def __init__(self, failures: float) -> None:
        self.left = failures

    async def check(self) -> None:
        if self.left > 0:
            self.left -= 1
            raise CacheUnavailableError("Redis did not answer in time")


def warming_over(lane: Any) -> Warming:
    nothing: Any = None
    return Warming([lane], nothing, nothing, nothing, nothing, manner=ALONE)


async def test_a_redis_that_is_late_twice_is_asked_again():
    lane = Lane(2)
    await warming_over(lane).check()
    assert lane.left == 0


async def test_where_nobody_vouches_for_the_cache_it_is_said_in_words():
    with pytest.raises(CacheUnavailableError, match="did not answer"):
        await warming_over(Lane(float("inf"))).check()
