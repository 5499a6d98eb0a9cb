"""API keys as people see to them: make one, give it a successor, revoke it, look at them. A text is told once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from service.db.api_keys import ApiKeyTable, KeyEvent, KeyRow
from service.domain.key_text import ALPHABET, ID_LENGTH, NAME_PATTERN, SECRET_LENGTH, compose_key, digest_of
from service.domain.parameter import Authorship
from service.domain.scopes import Scopes
from service.errors import ConflictError, Fault, InvalidBodyError, NotFoundError

EVENTS_MAX = 100
_NAME = re.compile(NAME_PATTERN[1:-1])


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. ``text`` is known to nobody else, and is never shown again."""

    row: KeyRow
    text: str = field(repr=False)


async def _nothing() -> None: ...


class ApiKeys:
    """Use cases. ``catch_up`` makes this process know at once what was changed. Any may raise UnavailableError."""

    def __init__(self, table: ApiKeyTable, catch_up: Callable[[], Awaitable[None]] = _nothing) -> None:
        self._table = table
        self._catch_up = catch_up

    async def create(
        self, name: str, scopes: Scopes, *, lifetime_seconds: float | None, authorship: Authorship
    ) -> NewKey:
        """Raises InvalidBodyError for what is no name, ConflictError where a key of this name is live."""
        if not _NAME.fullmatch(name):
            raise InvalidBodyError.at(Fault("/name", f"must match {NAME_PATTERN}"))
        key_id, text = _drawn()
        row = await self._table.create(
            key_id,
            digest_of(text.encode()),
            name=name,
            scopes=scopes.texts,
            lifetime_seconds=lifetime_seconds,
            authorship=authorship,
        )
        await self._catch_up()
        return NewKey(row, text)

    async def rotate(self, old_id: str, *, overlap_seconds: float, authorship: Authorship) -> NewKey:
        """A successor, with the same name and scopes; the old key lives for ``overlap_seconds`` more at the longest.

        Raises NotFoundError, ConflictError where the key is not live, or has a successor that is.
        """
        key_id, text = _drawn()
        row = await self._table.rotate(
            old_id, key_id, digest_of(text.encode()), overlap_seconds=overlap_seconds, authorship=authorship
        )
        if row is None:
            await self.read(old_id)
            raise ConflictError("the key was revoked, or has expired: make a new one")
        await self._catch_up()
        return NewKey(row, text)

    async def revoke(self, key_id: str, *, authorship: Authorship) -> KeyRow:
        """No process takes it any more within B, this one from now on. Raises NotFoundError."""
        await self._table.revoke(key_id, authorship=authorship)
        await self._catch_up()
        return await self.read(key_id)

    async def newest(self, limit: int) -> list[KeyRow]:
        """Live or not."""
        return await self._table.newest(limit)

    async def read(self, key_id: str) -> KeyRow:
        """Raises NotFoundError."""
        row = await self._table.read(key_id)
        if row is None:
            raise NotFoundError("there is no such key")
        return row

    async def events(self, key_id: str) -> list[KeyEvent]:
        """The newest first."""
        return await self._table.events(key_id, EVENTS_MAX)


def _drawn() -> tuple[str, str]:
    """An id, and the text of a key that has it."""
    key_id, secret = ("".join(secrets.choice(ALPHABET) for _ in range(length)) for length in (ID_LENGTH, SECRET_LENGTH))
    return key_id, compose_key(key_id, secret)
