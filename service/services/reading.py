"""Reads of many entities of one type at once, whatever the type."""

from __future__ import annotations

from collections.abc import Sequence

from service.cache.engine import Engine
from service.cache.entry import Answer, Wish
from service.cache.keys import name_of
from service.cache.policy import Policy
from service.errors import NotCachedError, UnavailableError

Answers = dict[str, Answer | NotCachedError | UnavailableError]
"""By id; ``body`` None: it does not exist. An id that could not be answered has its error."""


async def read_many(engine: Engine, entity_type: str, ids: Sequence[str], *, policy: Policy, wish: Wish) -> Answers:
    """One MGET, and at most one query; an id that is given twice is asked for once."""
    different = list(dict.fromkeys(ids))
    beginning = name_of(entity_type, "")
    answers = await engine.get_many([beginning + each for each in different], policy, wish)
    return dict(zip(different, answers, strict=True))
