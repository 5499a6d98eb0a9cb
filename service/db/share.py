"""A share of the connections: how many are taken, how long one is held lately, and who is refused for it."""

from __future__ import annotations

import time

from service.db.places import Places
from service.domain.pace import Pace
from service.errors import DatabaseBusyError, OverloadedError


class Share:
    """``size`` places for one kind of ``work``, of which ``plural`` tells people."""

    def __init__(self, size: int, *, work: str, plural: str) -> None:
        self.size = size
        self.busy = 0
        self._places = Places(size)
        self._waiting = 0
        self._pace = Pace(size)
        self._work = work
        self._plural = plural

    async def take(self, *, timeout_seconds: float) -> float:
        """Take a place; what is returned goes to `give_back`. Raises OverloadedError at once where it would take too
        long, as far as one can see, and DatabaseBusyError where it did.
        """
        if self._pace.wait(time.monotonic(), turns_before=self._waiting) > timeout_seconds:
            raise OverloadedError(f"too many {self._plural} wait for PostgreSQL", work=self._work)
        self._waiting += 1
        try:
            await self._places.take(timeout_seconds)
        except TimeoutError as error:
            raise DatabaseBusyError(f"all connections for {self._plural} are busy") from error
        finally:
            self._waiting -= 1
        self.busy += 1
        began = time.monotonic()
        self._pace.began(began)
        return began

    def give_back(self, began: float) -> None:
        self._pace.ended(began, time.monotonic())
        self.busy -= 1
        self._places.give_back()
