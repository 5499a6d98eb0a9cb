"""Each connection asks again as soon as it is answered: as much as the service can take from so many clients."""

from __future__ import annotations

from time import perf_counter

from service.bench.connection import Connection
from service.bench.driving import Driver


class ClosedLoop(Driver):
    def begin(self) -> None:
        for connection in self._connections:
            if connection.is_open:
                self.free(connection)

    def free(self, connection: Connection) -> None:
        if self.is_asking:
            connection.send(self.requests.next(), perf_counter())

    def end(self) -> None:
        """The answers under way will find that there is nothing more to ask."""

    def expire(self, now: float) -> None:
        """Nothing waits for a connection."""

    def refused(self) -> None:
        """A client that cannot connect has failed to ask."""
        if self.is_asking:
            self.failed(self.requests.next(), "refused", perf_counter())

    @property
    def waiting(self) -> int:
        return 0
