"""Who asks: the keys as this process knows them, held against the one that a request brings.

Each process asks four times within B whether any key has changed. One that has had no answer for B (and the grace that
the settings give) cannot know of revocations, and trusts no key: so a key that was revoked is refused everywhere within
B, whatever fails. A key is found by its digest, in time that does not depend on how much of it is right.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple

import structlog

from service.db.api_keys import ApiKeyTable, LiveKey
from service.domain.key_text import id_in_key
from service.domain.scopes import Scopes, Verb, is_scope
from service.errors import RevocationsUnknownError, UnauthenticatedError, UnavailableError
from service.services.following import Following

log = structlog.get_logger(__name__)

_SCHEME = b"Bearer "
_TYPES_REMEMBERED_MAX = 1_000
_MISSING = "a key is needed: Authorization: Bearer aside_live_…"
_MALFORMED = "what was sent as Authorization is no key of Aside: it was mistyped, or cut off"
_UNKNOWN = "the key is not known, was revoked, or has expired"


class Principal(NamedTuple):
    """Who a key stands for. Nothing in it is secret."""

    key_id: str
    name: str
    scopes: Scopes


class _Known:
    """A live key. ``until`` and ``used_at`` are readings of `time.monotonic`; what may be read is found out once."""

    __slots__ = ("principal", "readable", "until", "used_at")

    def __init__(self, principal: Principal, until: float, used_at: float) -> None:
        self.principal = principal
        self.until = until
        self.used_at = used_at
        self.readable: set[str] = set()


class Access:
    """Of one process."""

    def __init__(self, table: ApiKeyTable, *, bound_seconds: float, grace_seconds: float) -> None:
        self._table = table
        self._bound_seconds = bound_seconds
        self._patience_seconds = bound_seconds + grace_seconds
        self._known: dict[bytes, _Known] = {}
        self.following = Following("api_keys", table.edition, self._load, every_seconds=bound_seconds / 4)

    def may_read(self, authorization: bytes, entity_type: str) -> bool:
        """Whether this header's key allows it for certain: every hot read asks. Where not, `admit` says why."""
        known = self._for_certain(authorization)
        return known is not None and (entity_type in known.readable or self._finds_readable(known, entity_type))

    def may_write(self, authorization: bytes, entity_type: str) -> bool:
        """The same of writing."""
        known = self._for_certain(authorization)
        return known is not None and known.principal.scopes.allow(Verb.WRITE, entity_type)

    def recognise(self, authorization: list[bytes]) -> Principal | None:
        """Whose key it is, as `admit` finds it; None where that says why not. The usual spelling costs one digest."""
        if not authorization:
            return None
        known = self._for_certain(authorization[0]) if len(authorization) == 1 else None
        if known is not None:
            return known.principal
        with suppress(UnauthenticatedError, UnavailableError):
            return self.admit(authorization)
        return None

    def _for_certain(self, authorization: bytes) -> _Known | None:
        """Found by its digest, neither expired nor revoked as far as that must be known, and used now."""
        known = self._known.get(sha256(authorization[7:]).digest()) if authorization[:7] == _SCHEME else None
        if known is None:
            return None
        now = time.monotonic()
        if now >= known.until or now - self.following.known_at > self._patience_seconds:
            return None
        known.used_at = now
        return known

    def _finds_readable(self, known: _Known, entity_type: str) -> bool:
        if not known.principal.scopes.allow(Verb.READ, entity_type):
            return False
        if len(known.readable) < _TYPES_REMEMBERED_MAX:
            known.readable.add(entity_type)
        return True

    @property
    def is_known(self) -> bool:
        """Whether it is known which keys were revoked: where not, every request that needs a key is refused."""
        return self.following.age_seconds <= self._patience_seconds

    def admit(self, authorization: list[bytes]) -> Principal:
        """Whose key it is. ``authorization``: all headers of this name.

        Raises UnauthenticatedError, in the same words whether the key never was, was revoked, or has expired;
        RevocationsUnknownError where this cannot be known.
        """
        if not authorization:
            raise UnauthenticatedError(_MISSING)
        scheme, _, text = authorization[0].partition(b" ")
        key = text.strip(b" \t")
        if len(authorization) > 1 or scheme.lower() != b"bearer" or id_in_key(key.decode("latin-1")) is None:
            raise UnauthenticatedError(_MALFORMED)
        if not self.is_known:
            raise RevocationsUnknownError("PostgreSQL has not told lately which keys were revoked")
        known, now = self._known.get(sha256(key).digest()), time.monotonic()
        if known is None or now >= known.until:
            raise UnauthenticatedError(_UNKNOWN)
        known.used_at = now
        return known.principal

    def used_since(self, moment: float) -> dict[str, float]:
        """When keys were used last, of those that were used after a moment; by id, all on `time.monotonic`."""
        return {known.principal.key_id: known.used_at for known in self._known.values() if known.used_at > moment}

    async def catch_up(self) -> None:
        """Know what was changed until now, if PostgreSQL tells within B."""
        with suppress(UnavailableError, TimeoutError):
            async with asyncio.timeout(self._bound_seconds):
                await self.following.look()

    async def _load(self) -> None:
        began_at = time.monotonic()
        before = {known.principal.key_id: known.used_at for known in self._known.values()}
        keys = await self._table.live()
        self._known = {key.digest: _known(key, began_at, before.get(key.id, -math.inf)) for key in keys}
        log.info("api_keys_loaded", live=len(keys))


def _known(key: LiveKey, asked_at: float, used_at: float) -> _Known:
    """It ends by PostgreSQL's clock, as far as this process's own runs at the same pace."""
    until = math.inf if key.seconds_left is None else asked_at + key.seconds_left
    understood = tuple(filter(is_scope, key.scopes))
    if understood != key.scopes:
        # By plain SQL, or by a newer version: one that is not understood here allows nothing here.
        log.error("api_key_scope_refused", key_id=key.id, refused=len(key.scopes) - len(understood))
    return _Known(Principal(key.id, key.name, Scopes(understood)), until, used_at)
