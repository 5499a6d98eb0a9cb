"""What answers for entities and parameters that a key must not know of: as if there were none, and none ever had been.

Nothing is looked up, so neither the answer nor its time depends on what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.cache.entry import Answer, Outcome, Wish
from service.db.pages import Page
from service.db.parameter_history import VersionPage
from service.domain.entity import EntityKey
from service.errors import AsideError
from service.services.parameters import NEWEST, no_version, no_versions

_ABSENT = Answer(Outcome.NEGATIVE_HIT, 0, None, 0)


class HiddenEntities:
    """In the place of `Entities`, for reads."""

    async def get(self, _key: EntityKey, _wish: Wish) -> Answer:
        return _ABSENT

    async def get_many(self, _entity_type: str, ids: Sequence[str], _wish: Wish) -> dict[str, Answer | AsideError]:
        return dict.fromkeys(ids, _ABSENT)

    async def page(self, _entity_type: str, *, prefix: str, after: str, limit: int) -> Page:  # noqa: ARG002
        return Page([], None)


class HiddenParameters:
    """In the place of `Parameters`, for reads."""

    async def get(self, _key: str, _wish: Wish) -> Answer:
        return _ABSENT

    async def get_many(self, keys: Sequence[str], _wish: Wish) -> dict[str, Answer | AsideError]:
        return dict.fromkeys(keys, _ABSENT)

    async def page(self, *, prefix: str, after: str, limit: int) -> Page:  # noqa: ARG002
        return Page([], None)

    async def as_of(self, _key: str, _at: datetime) -> None:
        return None

    async def version(self, key: str, version: int) -> None:
        raise no_version(key, version)

    async def versions(self, _key: str, *, below: int, limit: int) -> VersionPage:  # noqa: ARG002
        if below == NEWEST:
            raise no_versions()
        return VersionPage([], None)

    async def difference(self, key: str, before: int, _after: int | None) -> None:
        raise no_version(key, before)
