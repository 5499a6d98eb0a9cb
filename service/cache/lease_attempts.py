"""What the *lease* script is told, each time that it is sent: tokens that no message before has carried.

A message whose connection broke is sent again, and its first copy may be carried out much later. Under the same token
it would bring a lease back that is gone, and with it the right to fill what was loaded before (race R29):

    lease t (late) ── lease t: granted ── loads 1 ── the lease expires ── 2 is committed ── lease t arrives ── fills 1
"""

from __future__ import annotations

from collections.abc import Sequence


class LeaseAttempts:
    """One wish for leases, sent as often as need be. ``purpose`` is `read` or `write`.

    Who fills does so under a token of the attempt that was answered; nobody under those before. So a later attempt may
    take their leases over, while a late copy of them finds another's token, or makes a lease that only expires.
    """

    def __init__(self, lease_ms: int, purpose: str, tokens: Sequence[bytes]) -> None:
        self._head = (lease_ms, purpose)
        self._first = tokens
        self._attempt = 1
        self.tokens = tokens
        """Of the last attempt, in the order of the keys."""

    def first(self) -> list[bytes | str | int]:
        return [*self._head, *self.tokens]

    def again(self) -> list[bytes | str | int]:
        """Tokens of its own, then those of the attempt before, whose leases give way."""
        before, self._attempt = self.tokens, self._attempt + 1
        self.tokens = [b"%b.%d" % (token, self._attempt) for token in self._first]
        return [*self._head, *self.tokens, *before]
